# What an operator looks at first: two charts in a row.

locals {
  charts = [
    {
      title   = "What became of objects"
      stat    = "Sum"
      stacked = true
      metrics = [for line in [
        ["registered", "register", { color = "#2ca02c" }],
        ["already_registered", "register", { color = "#98df8a" }],
        ["already_registered", "extract", { color = "#c7e9c0", label = "already_registered, not extracted again" }],
        ["superseded", "register", { color = "#c7c7c7" }],
        ["ignored", "prepare", { color = "#7f7f7f" }],
        ["dead_lettered", "register", { color = "#d62728", label = "dead-lettered by register" }],
        ["dead_lettered", "extract", { color = "#e6550d", label = "dead-lettered by extract" }],
        ["dead_lettered", "prepare", { color = "#ff9896", label = "dead-lettered by prepare" }],
      ] : ["Beagle", line[0], "deployment", var.name, "service", line[1], line[2]]]
    },
    {
      title   = "Why items wait for Darwin"
      stat    = "Sum"
      stacked = true
      metrics = [for reason in [
        "darwin_throttled",
        "darwin_unreachable",
        "darwin_ambiguous",
        "darwin_not_asked",
        "darwin_unauthorized",
        "darwin_not_found",
        "darwin_storage_full",
        "secret_unavailable",
        "ledger_unavailable",
        "bug",
      ] : ["Beagle", reason, "deployment", var.name, "service", "register"]]
    },
    {
      title   = "Messages that wait"
      stat    = "Maximum"
      stacked = false
      metrics = concat(
        [for queue in local.shown_queues : [
          "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.work[queue].name, { label = queue }
        ]],
        [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.dead_letters.name, { label = "dead letters", color = "#d62728" }]],
      )
    },
    {
      title   = "How long the oldest message has waited, seconds"
      stat    = "Maximum"
      stacked = false
      metrics = concat(
        [for queue in local.shown_queues : [
          "AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.work[queue].name, { label = "${queue}, hardly tried" }
        ]],
        [for function in ["prepare", "extract", "register"] : [
          "Beagle", "waited_seconds", "deployment", var.name, "service", function, { label = "put off by ${function}" }
        ]],
      )
    },
    {
      title   = "Duration, milliseconds"
      stat    = "p95"
      stacked = false
      metrics = [for function in keys(local.functions) : [
        "AWS/Lambda", "Duration", "FunctionName", aws_lambda_function.stage[function].function_name, { label = function }
      ]]
    },
    {
      title   = "Invocations that failed as a whole, or were not let run"
      stat    = "Sum"
      stacked = false
      metrics = [for pair in setproduct(["Errors", "Throttles"], keys(local.functions)) : [
        "AWS/Lambda", pair[0], "FunctionName", aws_lambda_function.stage[pair[1]].function_name,
        { label = "${pair[1]} ${pair[0] == "Errors" ? "failed" : "throttled"}" }
      ]]
    },
  ]

  # In the order in which an object comes through them.
  shown_queues = [for queue in ["uploads", "videos", "items"] : queue if contains(keys(local.queues), queue)]
}

resource "aws_cloudwatch_dashboard" "dashboard" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, chart in local.charts : {
      type   = "metric"
      x      = 12 * (index % 2)
      y      = 6 * floor(index / 2)
      width  = 12
      height = 6
      properties = {
        title   = chart.title
        region  = data.aws_region.here.id
        stat    = chart.stat
        period  = 300
        view    = "timeSeries"
        stacked = chart.stacked
        metrics = chart.metrics
      }
    }]
  })
}
