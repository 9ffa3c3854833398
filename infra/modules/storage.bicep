// The ledger, its record, the queues between the functions, and the deployed zip.
param name string
param location string
param principalId string

@description('Days for which no version of an object in the ledger container can be erased. 0: no such policy.')
@minValue(0)
@maxValue(146000)
param retentionDays int = 0

var queueNames = [
  'ingest-partition'
  'plan-stop'
  'carry-out-order'
  'verify-order'
  'undo-run'
  'start-order'
  'send-notice'
  'ingest-partition-poison'
  'plan-stop-poison'
  'carry-out-order-poison'
  'verify-order-poison'
  'undo-run-poison'
  'start-order-poison'
  'send-notice-poison'
]

var containerNames = [
  'exports'
  'ledger'
  'deployments'
]

// Built-in data roles. The functions host itself needs Blob Data Owner and Table Data Contributor (timer locks, diagnostics).
var dataRoles = [
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
]

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: take('st${replace(name, '-', '')}${uniqueString(resourceGroup().id)}', 24)
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_ZRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Nobody gets in without a token; a network of your own is narrower still (docs/deploy.md).
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      defaultAction: 'Allow'
      bypass: 'AzureServices'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    // What is overwritten or removed stays as an older version; immutability by version asks for it.
    isVersioningEnabled: retentionDays > 0
    deleteRetentionPolicy: {
      enabled: true
      days: 30
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 30
    }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [for container in containerNames: {
  parent: blobs
  name: container
  properties: union({
    publicAccess: 'None'
  }, retentionDays > 0 && container == 'ledger' ? {
    immutableStorageWithVersioning: {
      enabled: true
    }
  } : {})
}]

// By version, not by container: the table's log replaces its checkpoint marker, and each older version stays. Deployed
// unlocked; locking it cannot be undone and is left to a person (docs/deploy.md).
resource kept 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2023-05-01' = if (retentionDays > 0) {
  parent: containers[indexOf(containerNames, 'ledger')]
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: retentionDays
    allowProtectedAppendWrites: false
  }
}

resource messages 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = [for queue in queueNames: {
  parent: messages
  name: queue
}]

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in dataRoles: {
  name: guid(account.id, principalId, role)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

output accountName string = account.name
output deploymentContainerUrl string = '${account.properties.primaryEndpoints.blob}deployments'
