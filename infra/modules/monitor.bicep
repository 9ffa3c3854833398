// Logs of the service. Local authentication is off: it writes with its identity.
param name string
param location string
param principalId string
// Whether drills are set up: without them a missing proof of life is no news.
param drilled bool
param alarmEmail string

var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-${name}'
  location: location
  properties: {
    retentionInDays: 90
    sku: {
      name: 'PerGB2018'
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${name}'
  location: location
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    WorkspaceResourceId: workspace.id
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, metricsPublisher)
  scope: insights
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
  }
}

// People, not the webhook: an alarm about the chain must not go through the chain.
resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alarmEmail)) {
  name: 'ag-${name}-alarms'
  location: 'global'
  properties: {
    enabled: true
    groupShortName: 'ledger-alrm'
    emailReceivers: [
      {
        name: 'alarms'
        emailAddress: alarmEmail
        useCommonAlertSchema: true
      }
    ]
  }
}

// Each event of the service is one JSON object in a trace's message; `alarm` in adapters/telemetry.py writes these.
var alarms = [
  {
    name: 'alert-not-taken'
    text: 'An alert was refused, its caller was not let in, or it could not be stored; the event says why. Azure sends it again after the last alone.'
    query: 'AppTraces | where SeverityLevel >= 3 | extend told = parse_json(Message) | where tostring(told.event) in ("alert-refused", "caller-denied", "alert-unavailable")'
    operator: 'GreaterThan'
    threshold: 0
    looksBack: 'PT1H'
    overrides: null
    every: 'PT15M'
    ofDrills: false
  }
  {
    name: 'given-up'
    text: 'A queue gave a message up, or a channel takes no notice; the event names it.'
    query: 'AppTraces | where SeverityLevel >= 3 | extend told = parse_json(Message) | where tostring(told.event) in ("message-given-up", "notice-given-up")'
    operator: 'GreaterThan'
    threshold: 0
    looksBack: 'PT1H'
    overrides: null
    every: 'PT15M'
    ofDrills: false
  }
  {
    name: 'alert-taken-dry'
    text: 'An alert of a live budget was taken as a dry run: the service itself is not live. Deploy with live = true, or switch the budget off.'
    query: 'AppTraces | where SeverityLevel >= 3 | extend told = parse_json(Message) | where tostring(told.event) == "alert-taken-dry"'
    operator: 'GreaterThan'
    threshold: 0
    looksBack: 'PT1H'
    overrides: null
    every: 'PT15M'
    ofDrills: false
  }
  {
    name: 'cost-data-stale'
    text: 'A source has delivered no cost data for longer than stale_hours; the event names it.'
    query: 'AppTraces | where SeverityLevel >= 3 | extend told = parse_json(Message) | where tostring(told.event) == "cost-data-stale"'
    operator: 'GreaterThan'
    threshold: 0
    looksBack: 'PT1H'
    overrides: null
    every: 'PT15M'
    ofDrills: false
  }
  {
    ofDrills: true
    name: 'drill-failed'
    text: 'A drill found a dead link in the chain from the webhook to a machine; the event names it.'
    query: 'AppTraces | where SeverityLevel >= 3 | extend told = parse_json(Message) | where tostring(told.event) == "drill-failed"'
    operator: 'GreaterThan'
    threshold: 0
    looksBack: 'PT1H'
    overrides: null
    every: 'PT15M'
  }
  {
    ofDrills: true
    name: 'no-proof-of-life'
    text: 'No drill passed for a day and a half: the chain, its timers or its logs are dead.'
    query: 'AppTraces | where TimeGenerated > ago(36h) | extend told = parse_json(Message) | where tostring(told.event) == "drill-passed"'
    operator: 'LessThan'
    threshold: 1
    looksBack: 'P1D'
    overrides: 'P2D'
    every: 'PT1H'
  }
]

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-03-15-preview' = [for alarm in alarms: if (drilled || !alarm.ofDrills) {
  name: 'alert-${name}-${alarm.name}'
  location: location
  properties: {
    displayName: '${name}: ${alarm.name}'
    description: alarm.text
    enabled: true
    severity: 1
    scopes: [
      workspace.id
    ]
    evaluationFrequency: alarm.every
    windowSize: alarm.looksBack
    overrideQueryTimeRange: alarm.overrides
    criteria: {
      allOf: [
        {
          query: alarm.query
          timeAggregation: 'Count'
          operator: alarm.operator
          threshold: alarm.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    actions: {
      actionGroups: !empty(alarmEmail) ? [
        people.id
      ] : []
    }
  }
}]

output connectionString string = insights.properties.ConnectionString
