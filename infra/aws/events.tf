# How the bucket announces what lands in it.

locals {
  # Where Beagle writes in the watched bucket.
  artifacts = ".beagle/"
  # The artifacts must not start it again. (JSON, because the two forms have different types.)
  watched = var.prefix == "" ? jsonencode({ anything-but = { prefix = local.artifacts } }) : jsonencode({ prefix = var.prefix })
}

resource "aws_cloudwatch_event_rule" "created" {
  name        = "${var.name}-created"
  description = "Objects created in ${var.bucket_name}, for Beagle."
  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [var.bucket_name] }
      object = { key = [jsondecode(local.watched)] }
    }
  })
}

resource "aws_cloudwatch_event_target" "created" {
  rule      = aws_cloudwatch_event_rule.created.name
  target_id = "uploads"
  arn       = aws_sqs_queue.work["uploads"].arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  # What EventBridge may not bring into the queue, nor into that of dead letters, it loses.
  depends_on = [aws_sqs_queue_policy.written_by_the_rule]
}
