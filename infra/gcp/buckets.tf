# What Beagle remembers; and the bucket to watch, where this module creates it. Both hold what nobody can make anew,
# so Terraform refuses to destroy them.

locals {
  source_bucket = one(concat(
    [for bucket in google_storage_bucket.source : bucket.name],
    var.create_bucket ? [] : [var.bucket_name],
  ))
}

resource "google_storage_bucket" "state" {
  # The names of buckets are everybody's.
  name                        = "${local.project}-${var.name}-state"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # An entry of the ledger is written twice, and its first form is of no use to anybody.
  versioning {
    enabled = false
  }
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # A large message, a video's finished part and a count of attempts are of no use once their queues have forgotten
  # them: dead letters, too, after 31 days.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 32
      matches_prefix = ["parcels/", "parts/", "attempts/"]
    }
  }
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed]
}

resource "google_storage_bucket" "source" {
  for_each = toset(var.create_bucket ? ["source"] : [])

  name                        = var.bucket_name
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Darwin's pages load images from the bucket, by signed URLs.
  cors {
    origin          = [var.darwin_url]
    method          = ["GET", "HEAD"]
    response_header = ["*"]
    max_age_seconds = 3600
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed]
}
