# What an operator looks at first: two charts in a row. A workbook, because it draws the answers to queries.

locals {
  charts = [
    {
      title = "What became of objects"
      kind  = "barchart"
      query = "${local.ended} | where ending in ('registered', 'already_registered', 'superseded', 'ignored', 'dead_lettered') | summarize objects = count() by bin(TimeGenerated, 5m), what = strcat(ending, ' by ', stage)"
    },
    {
      title = "Why messages come again"
      kind  = "barchart"
      query = "${local.ended} | where ending == 'again' | summarize messages = count() by bin(TimeGenerated, 5m), why = strcat(code, ' at ', stage)"
    },
    {
      title = "Duration, seconds, of 95 in 100"
      kind  = "linechart"
      query = "AppRequests | ${local.function_of_app} | summarize seconds = percentile(DurationMs, 95) / 1000 by bin(TimeGenerated, 5m), function"
    },
    {
      title = "Invocations that failed, those aside that asked to have a message again"
      kind  = "barchart"
      query = "AppExceptions | where strcat(OuterMessage, InnermostMessage, ProblemId, tostring(Details)) !has '${local.no_request}' | ${local.function_of_app} | summarize failed = count() by bin(TimeGenerated, 5m), function"
    },
  ]
}

resource "azurerm_application_insights_workbook" "dashboard" {
  # Azure names workbooks by such numbers, and people by the other name.
  name                = uuidv5("url", "beagle:${local.own}")
  resource_group_name = local.group
  location            = var.location
  display_name        = var.name
  source_id           = lower(azurerm_log_analytics_workspace.logs.id)
  data_json = jsonencode({
    version = "Notebook/1.0"
    items = concat(
      [{
        type    = 9
        name    = "time"
        content = { version = "KqlParameterItem/1.0", parameters = [{ id = "time", version = "KqlParameterItem/1.0", name = "Time", label = "Time", type = 4, isRequired = true, value = { durationMs = 86400000 }, typeSettings = { selectableValues = [{ durationMs = 3600000 }, { durationMs = 86400000 }, { durationMs = 604800000 }, { durationMs = 2592000000 }] } }] }
      }],
      [for chart in local.charts : {
        type        = 3
        name        = chart.title
        customWidth = "50"
        content = {
          version                  = "KqlItem/1.0"
          title                    = chart.title
          query                    = chart.query
          visualization            = chart.kind
          queryType                = 0
          resourceType             = "microsoft.operationalinsights/workspaces"
          timeContextFromParameter = "Time"
        }
      }],
    )
    fallbackResourceIds = [lower(azurerm_log_analytics_workspace.logs.id)]
  })
}
