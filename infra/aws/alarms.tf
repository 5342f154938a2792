# Something is dead, stands still, fails, or needs a person.

locals {
  told = concat([for topic in aws_sns_topic.alarms : topic.arn], var.alarm_topic_arn == "" ? [] : [var.alarm_topic_arn])

  # How long messages may wait, and what it means when they have waited longer.
  waiting = {
    uploads = { seconds = 3600, meaning = "Uploads wait for more than an hour. The log of prepare says why." }
    items   = { seconds = 3600, meaning = "Items wait for Darwin for more than an hour. The log of register says why." }
    videos  = { seconds = 14400, meaning = "Videos wait for more than four hours. The log of extract says why; or there are many: see extract_concurrency." }
  }
  # Short of each function's time limit.
  running_ms = { prepare = 108000, extract = 870000, register = 108000 }
  # What calls for a person, by the function that calls.
  calling = {
    prepare  = "Beagle met an exception that nobody expected. The message waits in its queue: the log of prepare holds the traceback."
    extract  = "Beagle met an exception that nobody expected. The message waits in its queue: the log of extract holds the traceback."
    register = "Darwin refuses the API key (401, 403), knows no such team, dataset or storage (404) or is full; the secret cannot be read; or Beagle met an exception that nobody expected. Items wait until somebody mends it: the log of register says what."
  }

  # Each is a metric that may not exceed its threshold, over so many periods of five minutes.
  alarms = merge(
    {
      dead-letters = {
        description = "There are dead letters. Look at them: beagle letters --terraform DIR"
        namespace   = "AWS/SQS"
        metric      = "ApproximateNumberOfMessagesVisible"
        dimensions  = { QueueName = aws_sqs_queue.dead_letters.name }
        statistic   = "Maximum"
        threshold   = 0
        periods     = 1
      }
      throttled = {
        description = "For half an hour Darwin has turned away (429) more than half of what it was sent. requests_per_minute may be too high, or others use up the limit."
        namespace   = "Beagle"
        metric      = "throttled_percent"
        dimensions  = { deployment = var.name, service = "register" }
        statistic   = "Average"
        threshold   = 50
        periods     = 6
      }
    },
    { for queue in keys(local.queues) : "${queue}-age" => {
      description = local.waiting[queue].meaning
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      dimensions  = { QueueName = aws_sqs_queue.work[queue].name }
      statistic   = "Maximum"
      threshold   = local.waiting[queue].seconds
      periods     = 1
    } },
    { for function in keys(local.functions) : "${function}-errors" => {
      description = "${title(function)} failed as a whole, was killed, or found its settings wrong. Its log says why; its messages come again."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = aws_lambda_function.stage[function].function_name }
      statistic   = "Sum"
      threshold   = 0
      periods     = 1
    } },
    { for function in keys(local.functions) : "${function}-throttles" => {
      description = "${title(function)} was not let run for a quarter of an hour: the account's limit of concurrent executions is reached."
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      dimensions  = { FunctionName = aws_lambda_function.stage[function].function_name }
      statistic   = "Sum"
      threshold   = 0
      periods     = 3
    } },
    { for function in keys(local.functions) : "${function}-duration" => {
      description = "An invocation of ${function} nearly reached its time limit."
      namespace   = "AWS/Lambda"
      metric      = "Duration"
      dimensions  = { FunctionName = aws_lambda_function.stage[function].function_name }
      statistic   = "Maximum"
      threshold   = local.running_ms[function]
      periods     = 1
    } },
    { for function in keys(local.functions) : "${function}-person" => {
      description = local.calling[function]
      namespace   = "Beagle"
      metric      = "person_needed"
      dimensions  = { deployment = var.name, service = function }
      statistic   = "Sum"
      threshold   = 0
      periods     = 1
    } },
  )
}

resource "aws_cloudwatch_metric_alarm" "trouble" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
}

resource "aws_sns_topic" "alarms" {
  for_each = toset(var.alarm_email == "" ? [] : ["alarms"])

  name              = "${var.name}-alarms"
  kms_master_key_id = local.own_key
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = aws_sns_topic.alarms

  topic_arn = each.value.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
