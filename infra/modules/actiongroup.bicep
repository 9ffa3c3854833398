// Where budget alerts go. The address holds the function key, so it is a secure parameter and never an output.
param name string

@secure()
param webhookUri string

// The application registered for the webhook. Without an identifier action groups call with the key and send no token.
param webhookObjectId string
param webhookIdentifierUri string
param webhookTenantId string

var receiver = {
  name: 'ledger'
  serviceUri: webhookUri
  useCommonAlertSchema: true
}

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  properties: {
    enabled: true
    groupShortName: 'ledger'
    webhookReceivers: [
      empty(webhookIdentifierUri) ? receiver : union(receiver, {
        useAadAuth: true
        objectId: webhookObjectId
        identifierUri: webhookIdentifierUri
        tenantId: webhookTenantId
      })
    ]
  }
}

output id string = group.id
