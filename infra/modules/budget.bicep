// A monthly budget on the machines that opted in; Azure evaluates it about once a day on data that is hours old.
targetScope = 'subscription'

param budgetName string
param amount int
param startDate string
param actionGroupId string
@description('Azure tells these itself, by mail: the one message that does not depend on the webhook.')
param contactEmails array

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: budgetName
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    filter: {
      tags: {
        name: 'ledger-stop'
        operator: 'In'
        values: [
          budgetName
        ]
      }
    }
    notifications: {
      actual80: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: contactEmails
        contactGroups: [
          actionGroupId
        ]
      }
      // At the limit: another alert, which also ends cool-offs and keeps an undo from starting what is over budget.
      actual100: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 100
        thresholdType: 'Actual'
        contactEmails: contactEmails
        contactGroups: [
          actionGroupId
        ]
      }
    }
  }
}
