# `beagle letters --terraform` and its siblings read them.

output "provider" {
  description = "Which provider this deployment is on, for the command line."
  value       = "gcp"
}

output "source_bucket" {
  description = "The bucket that is watched."
  value       = var.bucket_name
}

output "state_bucket" {
  description = "The bucket in which Beagle remembers what it registered."
  value       = google_storage_bucket.state.name
}

output "uploads_topic" {
  description = "The topic of what landed in the bucket; replayed messages go there."
  value       = google_pubsub_topic.work["uploads"].id
}

output "items_topic" {
  description = "The topic of items that wait for Darwin."
  value       = google_pubsub_topic.work["items"].id
}

output "videos_topic" {
  description = "The topic of read-only videos that wait for their artifacts; null with read-write access."
  value       = one([for name, topic in google_pubsub_topic.work : topic.id if name == "videos"])
}

output "dead_letters_subscription" {
  description = "The subscription of what could not be registered, each with its reason."
  value       = google_pubsub_subscription.dead_letters.id
}

output "prepare_function" {
  description = "The function that turns uploads into items."
  value       = google_cloudfunctions2_function.stage["prepare"].name
}

output "extract_function" {
  description = "The function that makes the artifacts of read-only videos; null with read-write access."
  value       = one([for name, function in google_cloudfunctions2_function.stage : function.name if name == "extract"])
}

output "register_function" {
  description = "The function that registers items with Darwin."
  value       = google_cloudfunctions2_function.stage["register"].name
}

output "dashboard_name" {
  description = "The dashboard in Cloud Monitoring that shows what became of the objects, and what waits."
  value       = google_monitoring_dashboard.dashboard.id
}

output "api_key_secret" {
  description = "The secret that holds Darwin's API key; add a version with it if this module created the secret."
  value       = local.api_key_secret_id
}
