using 'main.bicep'

param name = 'focus-ledger'
param budgetName = 'dev-monthly'
param budgetAmount = 100
param budgetStartDate = '2026-01-01'
// Empty on the first deployment; see docs/deploy.md for the second.
param webhookUri = ''
