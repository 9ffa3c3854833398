using 'main.bicep'

param name = 'focus-ledger'
// Name and amount as in ledger.toml: an alert about another budget is refused.
param budgetName = 'dev-monthly'
param budgetAmount = 50
param budgetStartDate = '2026-01-01'
// Azure's own mail about the budget: it comes even where the webhook is dead.
param budgetEmails = []
// The master switch. Keep it here, not by hand in the app: a deployment writes all settings of the app.
param live = false
// Each deployment writes these as well, and what is not given is gone: docs/deploy.md, step 4. Of a key vault:
// az.getSecret('SUBSCRIPTION', 'GROUP', 'VAULT', 'SECRET'); the two keys may also be references to one, which are no
// secrets and can stand here: '@Microsoft.KeyVault(SecretUri=https://VAULT.vault.azure.net/secrets/SECRET)'.
param webhookUri = readEnvironmentVariable('LEDGER_WEBHOOK_URI', '')
param approvalKey = readEnvironmentVariable('LEDGER_APPROVAL_KEY', '')
// Drills (docs/stop-machines.md): the key that signs them, and who is told by mail of a dead link.
param drillKey = readEnvironmentVariable('LEDGER_DRILL_KEY', '')
param alarmEmail = ''
// Notices (docs/notices.md): what the channels of ledger.toml name, such as TEAMS_URL.
param noticeSettings = {}
// Secure webhook (docs/stop-machines.md): client id and object id of the application registered for it.
param webhookClientId = ''
param webhookObjectId = ''
// Bills of Azure (docs/azure.md): the costs of this subscription, and a container of another account with exports.
param readsCosts = false
param exportsAccount = ''
param exportsContainer = 'exports'
// Snowflake by key pair (docs/snowflake.md): addresses of key vault secrets, of the key and of its passphrase.
param snowflakeKeySecretUri = ''
param snowflakePassphraseSecretUri = ''
