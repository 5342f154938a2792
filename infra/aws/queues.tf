# A message stays hidden for six function timeouts and the batching window, as Lambda's guide asks:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
# What can never work is dead-lettered by the functions at once, so the 200 receives are there to outlive an outage
# of Darwin. A dead letter keeps the age it had in its source queue, hence 14 days after 12.

locals {
  queues = { for queue, settings in {
    uploads = { hidden_seconds = 725, receives = 200 }
    items   = { hidden_seconds = 725, receives = 200 }
    videos  = { hidden_seconds = 5400, receives = 200 }
  } : queue => settings if local.read_only || queue != "videos" }
}

resource "aws_sqs_queue" "work" {
  for_each = local.queues

  name                       = "${var.name}-${each.key}"
  visibility_timeout_seconds = each.value.hidden_seconds
  message_retention_seconds  = 12 * local.day
  sqs_managed_sse_enabled    = local.own_key == null ? true : null
  kms_master_key_id          = local.own_key
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = each.value.receives
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 14 * local.day
  sqs_managed_sse_enabled   = local.own_key == null ? true : null
  kms_master_key_id         = local.own_key
}

# EventBridge serves everybody: the policies name the rule and the account.
resource "aws_sqs_queue_policy" "written_by_the_rule" {
  for_each = {
    uploads      = { queue = aws_sqs_queue.work["uploads"], statement = "TheRuleAnnouncesObjects" }
    dead_letters = { queue = aws_sqs_queue.dead_letters, statement = "TheRuleKeepsWhatItCannotDeliver" }
  }

  queue_url = each.value.queue.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = each.value.statement
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = each.value.queue.arn
      Condition = {
        ArnEquals    = { "aws:SourceArn" = aws_cloudwatch_event_rule.created.arn }
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.here.account_id }
      }
    }]
  })
}
