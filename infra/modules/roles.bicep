// What the service may do to machines: see them, deallocate them, start them again. Nothing else.
targetScope = 'subscription'

param name string
param principalId string

resource guard 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, name, 'machine-guard')
  properties: {
    roleName: 'Ledger machine guard (${name})'
    description: 'Reads virtual machines, scale sets, locks and its own rights; deallocates and starts them.'
    type: 'CustomRole'
    assignableScopes: [
      subscription().id
    ]
    permissions: [
      {
        actions: [
          'Microsoft.Compute/virtualMachines/read'
          'Microsoft.Compute/virtualMachines/instanceView/read'
          'Microsoft.Compute/virtualMachines/deallocate/action'
          'Microsoft.Compute/virtualMachines/start/action'
          'Microsoft.Compute/virtualMachineScaleSets/read'
          'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read'
          'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/instanceView/read'
          'Microsoft.Compute/virtualMachineScaleSets/deallocate/action'
          'Microsoft.Compute/virtualMachineScaleSets/start/action'
          'Microsoft.Resources/subscriptions/read'
          'Microsoft.Resources/subscriptions/resourceGroups/read'
          'Microsoft.Authorization/locks/read'
          'Microsoft.Authorization/permissions/read'
        ]
        notActions: []
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, name, principalId, 'machine-guard')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: guard.id
  }
}
