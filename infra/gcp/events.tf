# How the bucket announces what lands in it. Other notifications of the bucket are left alone.

locals {
  # Where Beagle writes in the watched bucket. The subscription of uploads leaves it out, and no prefix may hold it.
  artifacts = ".beagle/"
}

resource "google_storage_notification" "created" {
  bucket             = local.source_bucket
  topic              = google_pubsub_topic.work["uploads"].id
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = var.prefix == "" ? null : var.prefix

  # Another prefix is another notification: what lands between the two would never be announced. Twice is harmless.
  lifecycle {
    create_before_destroy = true
  }

  # What is announced before the subscription exists, nobody hears.
  depends_on = [google_pubsub_topic_iam_member.announcing, google_pubsub_subscription.work]
}
