// The whole service in one subscription: an identity, storage, the function app, the rights it needs, a budget alert.
// No user-defined types on purpose: the policy checker in the tests does not read them.
targetScope = 'subscription'

@description('Name of the resource group and stem of every other name.')
@minLength(3)
@maxLength(14)
param name string = 'focus-ledger'

@description('Region of everything deployed.')
param location string = deployment().location

@description('The master switch of the service. A machine is stopped only when the budget in ledger.toml is live too.')
param live bool = false

@description('How often due bills are looked for; six fields, UTC. Once a day, as 0 15 6 * * *, where Cost Details reports are asked for.')
param planIngestSchedule string = '0 15 */4 * * *'

@description('How often messages that were lost are sent again; six fields, UTC.')
param sweepSchedule string = '0 */10 * * * *'

@description('When a drill goes from the webhook to a dry-run order and proves each link; six fields, UTC. At least once a day: a day without proof alarms.')
param drillSchedule string = '0 5 7 * * *'

@description('Signs drills; at least 32 random characters. Empty: there are no drills, and nobody is told of a dead link.')
@secure()
param drillKey string = ''

@description('App settings that [notices.NAME] names in ledger.toml: addresses, keys and passwords of channels. Best as Key Vault references.')
@secure()
param noticeSettings object = {}

@description('Who is told by mail when a link of the chain is dead. Empty: the alert rule is there and tells nobody.')
param alarmEmail string = ''

@description('Name of the budget. Machines tagged ledger-stop = this name are what it may stop.')
param budgetName string = 'dev-monthly'

@description('Limit per month in the billing currency of the subscription.')
@minValue(1)
param budgetAmount int = 50

@description('First day of the first month, such as 2026-01-01. Azure does not let it change later.')
param budgetStartDate string

@description('Who gets Azure\'s own mail about the budget, at 80 and 100 %. It comes even where the webhook is dead.')
param budgetEmails array = []

@description('Address of the webhook with its function key. Leave empty on the first deployment: the key does not exist yet.')
@secure()
param webhookUri string = ''

@description('Secure webhook: client id of the application registered for it (docs/stop-machines.md). Empty: the function key alone.')
param webhookClientId string = ''

@description('Object id of that application, not of its service principal.')
param webhookObjectId string = ''

@description('Application ID URI of that application.')
param webhookIdentifierUri string = empty(webhookClientId) ? '' : 'api://${webhookClientId}'

@description('Tenant in which it is registered.')
param webhookTenantId string = tenant().tenantId

@description('Signs the one-time links to approve a plan; at least 32 random characters. Empty: there are no links.')
@secure()
param approvalKey string = ''

@description('Address of the key vault secret with the private key of Snowflake\'s user, PEM text. Empty: none.')
param snowflakeKeySecretUri string = ''

@description('Address of the key vault secret with the passphrase of that key. Empty: the key is not encrypted.')
param snowflakePassphraseSecretUri string = ''

@description('Days for which no version of the ledger and its record can be erased, not even by an owner once the policy is locked. 0: no such policy.')
param retentionDays int = 0

@description('Whether the service reads the costs of this subscription: Cost Details reports, the Query API.')
param readsCosts bool = false

@description('Storage account in which exports of Cost Management arrive, where it is not the one deployed here. Empty: none.')
param exportsAccount string = ''

@description('Resource group of that account.')
param exportsGroup string = 'rg-${name}'

@description('Subscription of that account.')
param exportsSubscription string = subscription().subscriptionId

@description('Container of that account in which exports arrive.')
param exportsContainer string = 'exports'

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${name}'
  location: location
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: name
    location: location
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: name
    location: location
    principalId: identity.outputs.principalId
    retentionDays: retentionDays
  }
}

module monitor 'modules/monitor.bicep' = {
  name: 'monitor'
  scope: group
  params: {
    name: name
    location: location
    principalId: identity.outputs.principalId
    drilled: !empty(drillKey)
    alarmEmail: alarmEmail
  }
}

module service 'modules/function.bicep' = {
  name: 'function'
  scope: group
  params: {
    name: name
    location: location
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    storageAccountName: storage.outputs.accountName
    deploymentContainerUrl: storage.outputs.deploymentContainerUrl
    insightsConnectionString: monitor.outputs.connectionString
    planIngestSchedule: planIngestSchedule
    sweepSchedule: sweepSchedule
    drillSchedule: drillSchedule
    drillKey: drillKey
    webhookUri: webhookUri
    noticeSettings: noticeSettings
    snowflakeKeySecretUri: snowflakeKeySecretUri
    snowflakePassphraseSecretUri: snowflakePassphraseSecretUri
    live: live
    webhookOfLive: live && empty(webhookUri) ? '' : 'given, or not needed'
    approvalKey: approvalKey
    webhookClientId: webhookClientId
    webhookIdentifierUri: webhookIdentifierUri
    webhookTenantId: webhookTenantId
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    name: name
    principalId: identity.outputs.principalId
  }
}

module costs 'modules/costs.bicep' = if (readsCosts) {
  name: 'costs'
  params: {
    principalId: identity.outputs.principalId
  }
}

module exports 'modules/exports.bicep' = if (!empty(exportsAccount)) {
  name: 'exports'
  scope: resourceGroup(exportsSubscription, exportsGroup)
  params: {
    principalId: identity.outputs.principalId
    accountName: exportsAccount
    containerName: exportsContainer
  }
}

module actions 'modules/actiongroup.bicep' = if (!empty(webhookUri)) {
  name: 'actiongroup'
  scope: group
  params: {
    name: name
    webhookUri: webhookUri
    webhookObjectId: webhookObjectId
    webhookIdentifierUri: webhookIdentifierUri
    webhookTenantId: webhookTenantId
  }
}

module budget 'modules/budget.bicep' = if (!empty(webhookUri)) {
  name: 'budget'
  params: {
    budgetName: budgetName
    amount: budgetAmount
    startDate: budgetStartDate
    contactEmails: budgetEmails
    actionGroupId: !empty(webhookUri) ? actions!.outputs.id : ''
  }
}

output functionAppName string = service.outputs.name
output hostName string = service.outputs.hostName
output storageAccountName string = storage.outputs.accountName
