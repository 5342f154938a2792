# Something is dead, stands still, fails, or needs a person.

locals {
  told = concat([for channel in google_monitoring_notification_channel.email : channel.id], var.notification_channels)

  # How long messages may wait, and what it means when they have waited longer. Of the hundred attempts that a message
  # has, which last for 15.7 hours, at most one in six is used up by then (videos: one in three).
  waiting = {
    uploads = { seconds = 3600, meaning = "Uploads wait for more than an hour, be it for the rest of their group. The log of prepare says why." }
    items   = { seconds = 3600, meaning = "Items wait for Darwin for more than an hour. The log of register says why." }
    videos  = { seconds = 14400, meaning = "Videos wait for more than four hours. The log of extract says why; or there are many: see extract_concurrency. After 15.7 hours of being turned away they become dead letters, to be replayed." }
  }
  # What calls for a person, by the function that calls.
  calling = {
    prepare  = "Beagle met an exception that nobody expected. The message waits in its queue: the log of prepare holds the traceback."
    extract  = "Beagle met an exception that nobody expected. The message waits in its queue: the log of extract holds the traceback."
    register = "Darwin refuses the API key (401, 403), knows no such team, dataset or storage (404) or is full; the secret cannot be read; or Beagle met an exception that nobody expected. Items wait until somebody mends it: the log of register says what."
  }

  of_subscription = { for queue, subscription in merge(google_pubsub_subscription.work, { dead_letters = google_pubsub_subscription.dead_letters }) :
    queue => "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${subscription.name}\""
  }
  of_function = { for function, settings in local.functions :
    function => "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.name}-${function}\""
  }

  # Each is a metric that may not exceed its threshold for so many seconds, over windows of five minutes.
  alarms = merge(
    {
      dead-letters = {
        description = "There are dead letters. Look at them: beagle letters --terraform DIR"
        filter      = "${local.of_subscription["dead_letters"]} AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
        aligner     = "ALIGN_MAX"
        reducer     = "REDUCE_MAX"
        threshold   = 0
        seconds     = 60
      }
    },
    { for queue in keys(local.queues) : "${queue}-age" => {
      description = local.waiting[queue].meaning
      filter      = "${local.of_subscription[queue]} AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      aligner     = "ALIGN_MAX"
      reducer     = "REDUCE_MAX"
      threshold   = local.waiting[queue].seconds
      seconds     = 60
    } },
    # To have a message again, as while Darwin is away, a function asks by 409.
    { for function in keys(local.functions) : "${function}-errors" => {
      description = "${title(function)} failed as a whole, ran out of time, or found its settings wrong. Its log says why; its messages come again."
      filter      = "${local.of_function[function]} AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
      aligner     = "ALIGN_SUM"
      reducer     = "REDUCE_SUM"
      threshold   = 0
      seconds     = 60
    } },
    { for function, settings in local.functions : "${function}-duration" => {
      description = "A push to ${function} nearly reached its time limit."
      filter      = "${local.of_function[function]} AND metric.type=\"run.googleapis.com/request_latencies\""
      aligner     = "ALIGN_PERCENTILE_99"
      reducer     = "REDUCE_MAX"
      threshold   = 900 * settings.seconds
      seconds     = 60
    } },
  )

  # What Cloud Run answers itself reaches no function, and Cloud Run's own count of requests leaves it out. In Pub/Sub's
  # count of pushes it could not be told from a 409, for codes have no numbers there. So it is read in Cloud Run's log.
  refusals = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for function in keys(local.functions) : "\"${var.name}-${function}\""])}) AND logName=\"projects/${local.project}/logs/run.googleapis.com%2Frequests\""

  # Each is a line that no log may hold.
  alarming_lines = merge(
    { refused = {
      description = "Cloud Run lets Pub/Sub call a function no more (401, 403, 404): does ${var.name}-push have run.invoker on it, and does the function take calls from inside the project? Nothing is lost yet, messages wait. In the first minutes of a deployment this may pass by itself."
      filter      = "${local.refusals} AND httpRequest.status=(401 OR 403 OR 404)"
    } },
    { for function in keys(local.functions) : "${function}-person" => {
      description = local.calling[function]
      filter      = "${local.of_function[function]} AND jsonPayload.message=\"a person must act\" AND jsonPayload.deployment=\"${var.name}\""
    } },
    # What Cloud Run itself says of an instance, not what runs in it.
    { for function in keys(local.functions) : "${function}-killed" => {
      description = "Cloud Run ended an instance of ${function}, for its memory or its time, or could not start one. The messages come again."
      filter      = "${local.of_function[function]} AND logName=\"projects/${local.project}/logs/run.googleapis.com%2Fvarlog%2Fsystem\" AND severity>=ERROR"
    } },
  )
}

resource "google_monitoring_alert_policy" "trouble" {
  for_each = local.alarms

  display_name          = "${var.name}-${each.key}"
  combiner              = "OR"
  notification_channels = local.told

  conditions {
    display_name = each.key

    condition_threshold {
      filter                  = each.value.filter
      comparison              = "COMPARISON_GT"
      threshold_value         = each.value.threshold
      duration                = "${each.value.seconds}s"
      evaluation_missing_data = "EVALUATION_MISSING_DATA_INACTIVE"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }
    }
  }

  documentation {
    content   = each.value.description
    mime_type = "text/markdown"
  }

  depends_on = [google_project_service.needed]
}

resource "google_monitoring_alert_policy" "line" {
  for_each = local.alarming_lines

  display_name          = "${var.name}-${each.key}"
  combiner              = "OR"
  notification_channels = local.told

  conditions {
    display_name = each.key

    condition_matched_log {
      filter = each.value.filter
    }
  }

  # The line comes again with every message that waits.
  alert_strategy {
    auto_close = "3600s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    content   = each.value.description
    mime_type = "text/markdown"
  }

  depends_on = [google_project_service.needed]
}

# What became of objects, by the lines that the functions write: for the dashboard, and the share that Darwin refuses.
resource "google_logging_metric" "endings" {
  name        = "${var.name}-endings"
  description = "What became of the objects of ${var.name}, and why those wait that must come again."
  filter      = "resource.type=\"cloud_run_revision\" AND jsonPayload.message=\"object ended\" AND jsonPayload.deployment=\"${var.name}\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key         = "stage"
      description = "prepare, extract or register"
    }
    labels {
      key         = "ending"
      description = "registered, already_registered, superseded, ignored, dead_lettered; passed_on and again have not ended yet"
    }
    labels {
      key         = "code"
      description = "why"
    }
  }

  label_extractors = {
    for label in ["stage", "ending", "code"] : label => "EXTRACT(jsonPayload.${label})"
  }

  depends_on = [google_project_service.needed]
}

# Whom Cloud Run turned away.
resource "google_logging_metric" "refusals" {
  name        = "${var.name}-refusals"
  description = "Pushes that reached no function of ${var.name}: none may be called (401, 403, 404), or none was free (429)."
  filter      = "${local.refusals} AND httpRequest.status=(401 OR 403 OR 404 OR 429)"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key         = "status"
      description = "what Cloud Run answered"
    }
  }

  label_extractors = { status = "EXTRACT(httpRequest.status)" }

  depends_on = [google_project_service.needed]
}

# In PromQL, because Cloud Monitoring knows a new metric only after ten minutes, and here need not look.
resource "google_monitoring_alert_policy" "counted" {
  for_each = local.counted

  display_name          = "${var.name}-${each.key}"
  combiner              = "OR"
  notification_channels = local.told

  conditions {
    display_name = each.key

    condition_prometheus_query_language {
      query                     = each.value.query
      duration                  = "${each.value.seconds}s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  documentation {
    content   = each.value.description
    mime_type = "text/markdown"
  }
}

locals {
  endings_in_promql  = "logging_googleapis_com:user_${replace(google_logging_metric.endings.name, "-", "_")}"
  refusals_in_promql = "logging_googleapis_com:user_${replace(google_logging_metric.refusals.name, "-", "_")}"

  # Of what Darwin was sent: while it turns things away, most of what waits is not sent at all. Each comes again within
  # half an hour. Of what has not happened yet there is no series, and without `vector` there would be no sum.
  throttled_in_promql = "sum(increase(${local.endings_in_promql}{stage=\"register\", code=\"darwin_throttled\"}[30m]))"
  taken_in_promql     = "(sum(increase(${local.endings_in_promql}{stage=\"register\", ending=~\"registered|already_registered\"}[30m])) or vector(0))"

  counted = {
    throttled = {
      description = "For an hour and more Darwin has turned away (429) more than half of what it was sent. requests_per_minute may be too high, or others use up the limit."
      query       = "${local.throttled_in_promql} / (${local.throttled_in_promql} + ${local.taken_in_promql}) > 0.5"
      seconds     = 3600
    }
    # Of the others it is told by the age of what waits: turning Pub/Sub away is how they keep to their instances.
    prepare-throttles = {
      description = "Prepare has had no instance to spare for a quarter of an hour: its limit, or the project's quota, is reached."
      query       = "sum(increase(${local.refusals_in_promql}{service_name=\"${var.name}-prepare\", status=\"429\"}[5m])) > 0"
      seconds     = 900
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alarm_email == "" ? [] : ["email"])

  display_name = "Beagle (${var.name})"
  type         = "email"
  labels       = { email_address = var.alarm_email }
  depends_on   = [google_project_service.needed]
}
