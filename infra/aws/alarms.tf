# Something is dead, stands still, fails, or needs a person.

locals {
  told = concat([for topic in aws_sns_topic.alarms : topic.arn], var.alarm_topic_arn == "" ? [] : [var.alarm_topic_arn])

  # How long messages may wait, and what it means when those have that were hardly tried: what was received three times
  # SQS leaves out of its age.
  waiting = {
    uploads = { seconds = 3600, hours = "an hour", meaning = "prepare does not run, or cannot keep up." }
    items   = { seconds = 3600, hours = "an hour", meaning = "register does not run, or cannot keep up." }
    videos  = { seconds = 14400, hours = "four hours", meaning = "extract does not run, or there are many: see extract_concurrency." }
  }
  # What waits is tried again and again, and only then says that it does: within these seconds. (Extract's messages stay
  # hidden for longer when it is killed.) So long are the periods of what a try says, or an alarm would end before the next.
  tried_within = { prepare = 1800, extract = 7200, register = 1800 }
  takes        = { prepare = "uploads", extract = "videos", register = "items" }
  # Short of each function's time limit.
  running_ms = { prepare = 108000, extract = 870000, register = 108000 }
  # What calls for a person, by the function that calls.
  calling = {
    prepare  = "Beagle met an exception that nobody expected. The message waits in its queue: the log of prepare holds the traceback."
    extract  = "Beagle met an exception that nobody expected. The message waits in its queue: the log of extract holds the traceback."
    register = "Darwin refuses the API key (401, 403), knows no such team, dataset or storage (404) or is full; the secret cannot be read; or Beagle met an exception that nobody expected. Items wait until somebody mends it: the log of register says what."
  }

  # Each is a metric that may not exceed its threshold in so many periods, which are of five minutes where nothing is said.
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
      # Of a letter that SQS itself moved, this is the time since then.
      dead-letters-age = {
        description = "There are dead letters that have lain there for a week, and SQS deletes each 14 days after it was first sent. Look at them: beagle letters --terraform DIR"
        namespace   = "AWS/SQS"
        metric      = "ApproximateAgeOfOldestMessage"
        dimensions  = { QueueName = aws_sqs_queue.dead_letters.name }
        statistic   = "Maximum"
        threshold   = 7 * local.day
        periods     = 1
      }
      undelivered = {
        description = "EventBridge has given up on announcements that it could not bring into the queue of uploads. They are dead letters, unless some are lost, too. Do the queue's policy and key let EventBridge in?"
        namespace   = "AWS/Events"
        metric      = "FailedInvocations"
        dimensions  = { RuleName = aws_cloudwatch_event_rule.created.name }
        statistic   = "Sum"
        threshold   = 0
        periods     = 1
      }
      lost = {
        description = "EventBridge has lost announcements: it could bring them neither into the queue of uploads nor into that of dead letters. Upload the objects again, or copy them onto themselves."
        namespace   = "AWS/Events"
        metric      = "InvocationsFailedToBeSentToDlq"
        dimensions  = { RuleName = aws_cloudwatch_event_rule.created.name }
        statistic   = "Sum"
        threshold   = 0
        periods     = 1
      }
      throttled = {
        description = "For an hour and more Darwin has turned away (429) more than half of what it was sent. requests_per_minute may be too high, or others use up the limit."
        namespace   = "Beagle"
        metric      = "throttled_percent"
        dimensions  = { deployment = var.name, service = "register" }
        statistic   = "Average"
        threshold   = 50
        periods     = 3
        seconds     = local.tried_within["register"]
      }
    },
    { for queue in keys(local.queues) : "${queue}-age" => {
      description = "${title(queue)} that were hardly tried wait for more than ${local.waiting[queue].hours}: ${local.waiting[queue].meaning} What was received three times SQS no longer counts: of that another alarm tells."
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      dimensions  = { QueueName = aws_sqs_queue.work[queue].name }
      statistic   = "Maximum"
      threshold   = local.waiting[queue].seconds
      periods     = 1
    } },
    { for function in keys(local.functions) : "${function}-waiting" => {
      description = "${title(local.takes[function])} have been tried and put off for more than ${local.waiting[local.takes[function]].hours}. The log of ${function} says why."
      namespace   = "Beagle"
      metric      = "waited_seconds"
      dimensions  = { deployment = var.name, service = function }
      statistic   = "Maximum"
      threshold   = local.waiting[local.takes[function]].seconds
      periods     = 1
      seconds     = local.tried_within[function]
    } },
    { for function in keys(local.functions) : "${function}-errors" => {
      description = "${title(function)} failed as a whole, was killed, or found its settings wrong. Its log says why; its messages come again."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = aws_lambda_function.stage[function].function_name }
      statistic   = "Sum"
      threshold   = 0
      periods     = 1
      seconds     = local.tried_within[function]
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
      seconds     = local.tried_within[function]
    } },
    { for function in keys(local.functions) : "${function}-person" => {
      description = local.calling[function]
      namespace   = "Beagle"
      metric      = "person_needed"
      dimensions  = { deployment = var.name, service = function }
      statistic   = "Sum"
      threshold   = 0
      periods     = 1
      seconds     = local.tried_within[function]
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
  period              = lookup(each.value, "seconds", 300)
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
