# A message that is not acknowledged comes again after 10 s, 20 s, 40 s ... at most 600 s. What can never work is
# dead-lettered by the functions at once, so the hundred attempts, Pub/Sub's most, are there to outlive an outage of
# Darwin: 15.7 hours. What waits for longer becomes a dead letter as it is, and is replayed. (Without `retry_policy`
# a hundred attempts would be over in seconds, and 31 days of retention would be of no use.)

locals {
  queues = { for queue, settings in {
    # What is replayed has no attributes, and what a filter leaves out is gone: so it says both. It cannot be changed
    # later without a new subscription.
    uploads = {
      function = "prepare"
      filter   = "(NOT attributes:objectId) OR (NOT hasPrefix(attributes.objectId, \"${local.artifacts}\"))"
    }
    items  = { function = "register", filter = null }
    videos = { function = "extract", filter = null }
  } : queue => settings if local.read_only || queue != "videos" }

  longest_retention = "${31 * 24 * 60 * 60}s"
}

resource "google_pubsub_topic" "work" {
  for_each = local.queues

  name       = "${var.name}-${each.key}"
  depends_on = [google_project_service.needed]
}

resource "google_pubsub_topic" "dead_letters" {
  name       = "${var.name}-dead-letters"
  depends_on = [google_project_service.needed]
}

resource "google_pubsub_subscription" "work" {
  for_each = local.queues

  name  = google_pubsub_topic.work[each.key].name
  topic = google_pubsub_topic.work[each.key].id
  # As long as the function may take: an answer that comes later is none.
  ack_deadline_seconds       = local.functions[each.value.function].seconds
  message_retention_duration = local.longest_retention
  filter                     = each.value.filter

  push_config {
    push_endpoint = google_cloudfunctions2_function.stage[each.value.function].service_config[0].uri

    # Cloud Run looks at the token before it calls the function.
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloudfunctions2_function.stage[each.value.function].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = 100
  }

  expiration_policy {
    ttl = "" # never
  }

  # Pushed before they may be, messages would use up their attempts; what nobody hears, a topic forgets.
  depends_on = [
    google_cloud_run_v2_service_iam_member.push,
    google_pubsub_subscription.dead_letters,
    google_pubsub_topic_iam_member.dead_lettering,
    google_service_account_iam_member.signing,
  ]
}

# A topic keeps nothing by itself. Letters wait here for an operator, who reads them with `beagle letters`.
resource "google_pubsub_subscription" "dead_letters" {
  name                       = google_pubsub_topic.dead_letters.name
  topic                      = google_pubsub_topic.dead_letters.id
  ack_deadline_seconds       = 60
  message_retention_duration = local.longest_retention

  expiration_policy {
    ttl = "" # never, or it would be gone after 31 days in which nobody looked, and all later letters with it
  }
}
