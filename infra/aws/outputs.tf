# The same words as the outputs of template.yaml: `beagle letters --terraform` and its siblings read them.

output "source_bucket" {
  description = "The bucket that is watched."
  value       = var.bucket_name
}

output "state_bucket" {
  description = "The bucket in which Beagle remembers what it registered."
  value       = aws_s3_bucket.kept["state"].id
}

output "uploads_queue_url" {
  description = "The queue of what landed in the bucket."
  value       = aws_sqs_queue.work["uploads"].url
}

output "items_queue_url" {
  description = "The queue of items that wait for Darwin."
  value       = aws_sqs_queue.work["items"].url
}

output "videos_queue_url" {
  description = "The queue of read-only videos that wait for their artifacts; null with read-write access."
  value       = one([for name, queue in aws_sqs_queue.work : queue.url if name == "videos"])
}

output "dead_letters_queue_url" {
  description = "The queue of what could not be registered, each with its reason."
  value       = aws_sqs_queue.dead_letters.url
}

output "prepare_function" {
  description = "The function that turns uploads into items."
  value       = aws_lambda_function.stage["prepare"].function_name
}

output "extract_function" {
  description = "The function that makes the artifacts of read-only videos; null with read-write access."
  value       = one([for name, function in aws_lambda_function.stage : function.function_name if name == "extract"])
}

output "register_function" {
  description = "The function that registers items with Darwin."
  value       = aws_lambda_function.stage["register"].function_name
}

output "alarms_tell" {
  description = "Who is told when something stands still."
  value       = coalesce(var.alarm_topic_arn, var.alarm_email, "nobody")
}

output "dashboard_name" {
  description = "The CloudWatch dashboard that shows what became of the objects, and what waits."
  value       = aws_cloudwatch_dashboard.dashboard.dashboard_name
}

output "api_key_secret" {
  description = "The secret that holds Darwin's API key; fill it in if this module created it."
  value       = local.api_key_secret_arn
}
