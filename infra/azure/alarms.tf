# Something is dead, stands still, fails, or needs a person. Storage Queues have no metric of age, and count all messages
# of an account once an hour: so the alarms read what the functions write.

locals {
  told = concat([for group in azurerm_monitor_action_group.email : group.id], var.action_groups)

  # The lines that Beagle writes: JSON, one to a line. Of other deployments in the workspace there are none.
  lines = "AppTraces | where Message startswith '{' | extend line = parse_json(Message) | where tostring(line.deployment) == '${var.name}'"
  ended = "${local.lines} | where tostring(line.message) == 'object ended' | extend stage = tostring(line.stage), ending = tostring(line.ending), code = tostring(line.code)"

  # All but what waits for its group.
  tried = "${local.ended} | where code != 'group_waiting'"

  # Every app is called as its function, with something of its own after it.
  function_of_app = "extend function = extract('^${var.name}-([a-z]+)-', 1, AppRoleName)"
  # By raising this a function asks to have a message again, as it does while Darwin is away.
  no_request = "ComeAgainError"

  # What calls for a person, by the function that calls.
  calling = "Darwin refuses the API key (401, 403), knows no such team, dataset or storage (404) or is full; the secret cannot be read; or Beagle met an exception that nobody expected. Messages wait in their queue until somebody mends it: the log of the function says what."

  # Each is a query whose rows may hold no number above the threshold, over so many minutes, so many times in a row. Lines take
  # minutes until a query finds them, so each is looked for in more than one window.
  alarms = {
    dead-letters = {
      description = "There are new dead letters. Look at them: beagle letters --terraform DIR"
      query       = "${local.ended} | where ending == 'dead_lettered' | summarize found = count() by stage"
      by          = "stage", threshold = 0, minutes = 15, every = 5, severity = 1
    }
    # The host says so, in words of its own.
    given-up = {
      description = "The host has given a message up that its function could not make a dead letter, and put it into a poison queue, where it is kept for a week. Look at it: beagle letters --terraform DIR"
      query       = "AppTraces | where Message !startswith '{' and Message has 'poison' | ${local.function_of_app} | summarize found = count() by function"
      by          = "function", threshold = 0, minutes = 15, every = 5, severity = 1
    }
    person = {
      description = local.calling
      query       = "${local.lines} | where tostring(line.message) == 'a person must act' | extend code = tostring(line.code) | summarize found = count() by code"
      by          = "code", threshold = 0, minutes = 15, every = 5, severity = 1
    }
    errors = {
      description = "A function failed as a whole, was killed, ran out of time, or found its settings wrong. Its log says why; its messages come again."
      query       = "AppExceptions | where strcat(OuterMessage, InnermostMessage, ProblemId, tostring(Details)) !has '${local.no_request}' | ${local.function_of_app} | summarize found = count() by function"
      by          = "function", threshold = 0, minutes = 15, every = 5, severity = 2
    }
    # Tried every ten minutes, and never taken: what waits for longer is in the lines, though not in the queue's metrics. What
    # waits for the rest of its group waits as its route says, and is no part of this.
    no-progress = {
      description = "For an hour a stage has put everything off, and ended nothing. Its log says why."
      query       = "${local.tried} | summarize again = countif(ending == 'again'), others = countif(ending != 'again') by stage | extend found = iff(others == 0, again, 0)"
      by          = "stage", threshold = 0, minutes = 60, every = 15, severity = 2
    }
    # Though others may get on.
    put-off = {
      description = "Something has been tried and put off for more than an hour, in extract for more than four. The log of the stage says what, and why; after 49 hours it is a dead letter."
      query       = "${local.tried} | where ending == 'again' | summarize found = max(todouble(line.waited) / iff(stage == 'extract', 14400, 3600)) by stage"
      by          = "stage", threshold = 1, minutes = 60, every = 15, severity = 2
    }
    # Of what Darwin was sent: while it turns things away, most of what waits is not sent at all.
    throttled = {
      description = "For an hour and more Darwin has turned away (429) more than half of what it was sent. requests_per_minute may be too high, or others use up the limit."
      query       = "${local.ended} | where stage == 'register' and (code == 'darwin_throttled' or ending in ('registered', 'already_registered')) | summarize found = 100.0 * countif(code == 'darwin_throttled') / count() by stage"
      by          = "stage", threshold = 50, minutes = 30, every = 15, severity = 3, times = 4
    }
    duration = {
      description = "An invocation nearly reached its time limit."
      query       = "AppRequests | ${local.function_of_app} | extend limit = case(${join(", ", [for function, settings in local.functions : "function == '${function}', ${settings.seconds}"])}, 0) | where limit > 0 | summarize found = max(DurationMs / 10 / limit) by function"
      by          = "function", threshold = 90, minutes = 30, every = 15, severity = 3
    }
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "trouble" {
  for_each = local.alarms

  name                    = "${var.name}-${each.key}"
  description             = each.value.description
  resource_group_name     = local.group
  location                = var.location
  scopes                  = [azurerm_log_analytics_workspace.logs.id]
  severity                = each.value.severity
  evaluation_frequency    = "PT${each.value.every}M"
  window_duration         = each.value.minutes == 60 ? "PT1H" : "PT${each.value.minutes}M"
  auto_mitigation_enabled = true
  # A new workspace has no lines to try the query on.
  skip_query_validation = true

  criteria {
    query                   = each.value.query
    metric_measure_column   = "found"
    time_aggregation_method = "Maximum"
    operator                = "GreaterThan"
    threshold               = each.value.threshold

    # An alarm for each function that is in trouble.
    dimension {
      name     = each.value.by
      operator = "Include"
      values   = ["*"]
    }

    failing_periods {
      minimum_failing_periods_to_trigger_alert = try(each.value.times, 1)
      number_of_evaluation_periods             = try(each.value.times, 1)
    }
  }

  dynamic "action" {
    for_each = length(local.told) == 0 ? [] : ["tell"]

    content {
      action_groups = local.told
    }
  }
}

# What never came into the queue is in no line of ours.
resource "azurerm_monitor_metric_alert" "trouble" {
  for_each = {
    undelivered = {
      description = "For a day Event Grid could not bring an announcement into the queue of uploads, and put it into the container undelivered. Does its identity still have its role there?"
      scope       = local.topic.id, namespace = "Microsoft.EventGrid/systemTopics", metric = "DeadLetteredCount"
      aggregation = "Total", threshold = 0, window = "PT15M", every = "PT5M", severity = 1
    }
    lost = {
      description = "Event Grid has lost announcements. Upload the objects again, or copy them onto themselves."
      scope       = local.topic.id, namespace = "Microsoft.EventGrid/systemTopics", metric = "DroppedEventCount"
      aggregation = "Total", threshold = 0, window = "PT15M", every = "PT5M", severity = 1
    }
    # For functions that do not start, and so write no lines. Dead letters are counted, too, and an hour's sample is of all
    # queues: with fewer a quiet deployment would call whenever it works.
    waiting = {
      description = "For six hours more than 100 messages have been waiting, or are dead: none is lost, and nobody may be working on them. If no log of a function says why, look whether the functions start at all; then at the dead letters: beagle letters --terraform DIR"
      scope       = "${azurerm_storage_account.kept["state"].id}/queueServices/default", namespace = "Microsoft.Storage/storageAccounts/queueServices", metric = "QueueMessageCount"
      aggregation = "Average", threshold = 100, window = "PT6H", every = "PT1H", severity = 3
    }
  }

  name                = "${var.name}-${each.key}"
  description         = each.value.description
  resource_group_name = local.group
  scopes              = [each.value.scope]
  severity            = each.value.severity
  frequency           = each.value.every
  window_size         = each.value.window

  criteria {
    metric_namespace = each.value.namespace
    metric_name      = each.value.metric
    aggregation      = each.value.aggregation
    operator         = "GreaterThan"
    threshold        = each.value.threshold
  }

  dynamic "action" {
    for_each = local.told

    content {
      action_group_id = action.value
    }
  }
}

resource "azurerm_monitor_action_group" "email" {
  for_each = toset(var.alarm_email == "" ? [] : ["email"])

  name                = "${var.name}-alarms"
  resource_group_name = local.group
  short_name          = substr(var.name, 0, 12)

  email_receiver {
    name                    = "operator"
    email_address           = var.alarm_email
    use_common_alert_schema = true
  }
}
