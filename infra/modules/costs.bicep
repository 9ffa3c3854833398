// What the service may ask of Cost Management: the costs of this subscription. Billing accounts grant theirs by themselves (docs/azure.md).
targetScope = 'subscription'

param principalId string

var costManagementReader = '72fafb9e-0641-4937-9268-a91bfd8191a3'

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, costManagementReader)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', costManagementReader)
  }
}
