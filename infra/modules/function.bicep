// The function app on Flex Consumption. Runtime and memory are in functionAppConfig. It reaches storage, logs and machines by
// its identity; no setting holds a key to them. The keys that sign links and drills, the webhook's address with its function
// key, and what noticeSettings holds are settings: whoever may list the app's settings reads them, unless they are
// references to a key vault (infra/main.bicepparam).
param name string
param location string
param identityId string
param clientId string
param storageAccountName string
param deploymentContainerUrl string
param insightsConnectionString string
param planIngestSchedule string
param sweepSchedule string
param drillSchedule string
param snowflakeKeySecretUri string
param snowflakePassphraseSecretUri string
param live bool
@description('Empty: the deployment is refused. A live service that is deployed without its webhook would lose its drills without a word.')
@minLength(1)
param webhookOfLive string
@secure()
param approvalKey string
@secure()
param drillKey string
@secure()
param webhookUri string
@secure()
param noticeSettings object
param webhookClientId string
param webhookIdentifierUri string
param webhookTenantId string

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${name}'
  location: location
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: 'func-${name}-${uniqueString(resourceGroup().id)}'
  location: location
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      minTlsVersion: '1.2'
      http20Enabled: true
      ftpsState: 'Disabled'
      remoteDebuggingEnabled: false
    }
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: 40
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  // What is ours comes last, so that no notice setting can replace it.
  properties: union(noticeSettings, {
    AzureWebJobsStorage__accountName: storageAccountName
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: clientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${clientId}'
    AZURE_CLIENT_ID: clientId
    // Snowflake's connector asks for the identity under this name.
    MANAGED_IDENTITY_CLIENT_ID: clientId
    LEDGER_CONFIG: 'ledger.toml'
    LEDGER_STORE: 'az://ledger/main'
    // The master switch: a machine is touched only when this and the budget's own `live` are true.
    LEDGER_LIVE: live ? 'true' : 'false'
    LEDGER_APPROVAL_KEY: approvalKey
    // All or none: with half of them the service refuses its settings. The app is that of Azure Monitor's action groups.
    LEDGER_WEBHOOK_TENANT: empty(webhookClientId) ? '' : webhookTenantId
    LEDGER_WEBHOOK_AUDIENCE: empty(webhookClientId) ? '' : '${webhookClientId} ${webhookIdentifierUri}'
    LEDGER_WEBHOOK_ROLE: empty(webhookClientId) ? '' : 'ActionGroupsSecureWebhook'
    LEDGER_WEBHOOK_CALLER: empty(webhookClientId) ? '' : '461e8683-5575-4561-ac7f-899cc907d62a'
    LEDGER_WEBHOOK_AUTHORITY: empty(webhookClientId) ? '' : environment().authentication.loginEndpoint
    // Resolved by the platform when the app reads it; empty: no source signs in to Snowflake with a key pair.
    LEDGER_SNOWFLAKE_PRIVATE_KEY: empty(snowflakeKeySecretUri) ? '' : '@Microsoft.KeyVault(SecretUri=${snowflakeKeySecretUri})'
    LEDGER_SNOWFLAKE_PASSPHRASE: empty(snowflakePassphraseSecretUri) ? '' : '@Microsoft.KeyVault(SecretUri=${snowflakePassphraseSecretUri})'
    PLAN_INGEST_SCHEDULE: planIngestSchedule
    SWEEP_SCHEDULE: sweepSchedule
    DRILL_SCHEDULE: drillSchedule
    // A drill goes the way of an alert: to the address that the action group has, with the same key in it.
    LEDGER_DRILL_KEY: drillKey
    LEDGER_DRILL_URL: webhookUri
  })
}

output name string = app.name
output hostName string = app.properties.defaultHostName
