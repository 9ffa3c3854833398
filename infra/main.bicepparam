using 'main.bicep'

param name = 'focus-ledger'
// Name and amount as in ledger.toml: an alert about another budget is refused.
param budgetName = 'dev-monthly'
param budgetAmount = 50
param budgetStartDate = '2026-01-01'
// Empty on the first deployment; see docs/deploy.md for the second.
param webhookUri = ''
param approvalKey = ''
// Drills (docs/stop-machines.md): the key that signs them, and who is told by mail of a dead link.
param drillKey = ''
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
