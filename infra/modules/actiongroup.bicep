// Where budget alerts go. The address holds the function key, so it is a secure parameter and never an output.
param name string

@secure()
param webhookUri string

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  properties: {
    enabled: true
    groupShortName: 'ledger'
    webhookReceivers: [
      {
        name: 'ledger'
        serviceUri: webhookUri
        useCommonAlertSchema: true
      }
    ]
  }
}

output id string = group.id
