# What an operator looks at first: two charts in a row.

locals {
  of_endings = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.endings.name}\""

  # In the order in which an object comes through them.
  shown_queues    = [for queue in ["uploads", "videos", "items"] : queue if contains(keys(local.queues), queue)]
  shown_functions = [for function in ["prepare", "extract", "register"] : function if contains(keys(local.functions), function)]

  # Lines are counted, drawn as they are, or summed up to the worst of them.
  charts = [
    {
      title = "What became of objects"
      plot  = "STACKED_BAR"
      lines = [{
        filter = "${local.of_endings} AND metric.labels.ending=one_of(\"registered\", \"already_registered\", \"superseded\", \"ignored\", \"dead_lettered\")"
        legend = "$${metric.labels.ending} by $${metric.labels.stage}", aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", by = ["metric.label.ending", "metric.label.stage"]
      }]
    },
    {
      title = "Why messages come again"
      plot  = "STACKED_BAR"
      lines = [{
        filter = "${local.of_endings} AND metric.labels.ending=\"again\""
        legend = "$${metric.labels.code} at $${metric.labels.stage}", aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", by = ["metric.label.code", "metric.label.stage"]
      }]
    },
    {
      title = "Messages that wait"
      plot  = "LINE"
      lines = [for queue in concat(local.shown_queues, ["dead_letters"]) : {
        filter = "${local.of_subscription[queue]} AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
        legend = replace(queue, "_", " "), aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", by = []
      }]
    },
    {
      title = "Age of the oldest message, seconds"
      plot  = "LINE"
      lines = [for queue in local.shown_queues : {
        filter = "${local.of_subscription[queue]} AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
        legend = queue, aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", by = []
      }]
    },
    {
      title = "Duration, milliseconds"
      plot  = "LINE"
      lines = [for function in local.shown_functions : {
        filter = "${local.of_function[function]} AND metric.type=\"run.googleapis.com/request_latencies\""
        legend = function, aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX", by = []
      }]
    },
    {
      # Of a function 204 is an end, and 409 asks to have it again; of Cloud Run 403 and the like are a lack of
      # permission, and 429 one of instances.
      title = "Answers: 204 ended, 409 comes again, 403 may not call, 429 finds no instance"
      plot  = "STACKED_BAR"
      lines = concat(
        [for function in local.shown_functions : {
          filter = "${local.of_function[function]} AND metric.type=\"run.googleapis.com/request_count\""
          legend = "${function} $${metric.labels.response_code}", aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", by = ["metric.label.response_code"]
        }],
        [for function in local.shown_functions : {
          filter = "${local.of_function[function]} AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.refusals.name}\""
          legend = "${function} $${metric.labels.status}", aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", by = ["metric.label.status"]
        }],
      )
    },
    {
      # Who never came to an answer is here, too: unreachable, deadline_exceeded.
      title = "Pushes, as Pub/Sub sees them"
      plot  = "STACKED_BAR"
      lines = [for queue in local.shown_queues : {
        filter = "${local.of_subscription[queue]} AND metric.type=\"pubsub.googleapis.com/subscription/push_request_count\""
        legend = "${queue} $${metric.labels.response_class}", aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", by = ["metric.label.response_class"]
      }]
    },
  ]
}

resource "google_monitoring_dashboard" "dashboard" {
  dashboard_json = jsonencode({
    displayName = var.name
    mosaicLayout = {
      columns = 48
      tiles = [for index, chart in local.charts : {
        xPos   = 24 * (index % 2)
        yPos   = 16 * floor(index / 2)
        width  = 24
        height = 16
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [for line in chart.lines : {
              plotType       = chart.plot
              legendTemplate = line.legend
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = line.filter
                  aggregation = {
                    alignmentPeriod    = "300s"
                    perSeriesAligner   = line.aligner
                    crossSeriesReducer = line.reducer
                    groupByFields      = line.by
                  }
                }
              }
            }]
          }
        }
      }]
    }
  })

  depends_on = [google_project_service.needed]
}
