# What Beagle remembers; and the bucket to watch, where this module creates it. Both hold what nobody can make anew,
# so Terraform refuses to destroy them: infra/README.md says how to take everything else away.

locals {
  buckets = { for bucket, settings in {
    state  = { key = var.kms_key_arn }
    source = { key = var.bucket_kms_key_arn }
  } : bucket => settings if bucket == "state" || var.create_bucket }
}

resource "aws_s3_bucket" "kept" {
  for_each = local.buckets

  bucket        = each.key == "source" ? var.bucket_name : null
  bucket_prefix = each.key == "state" ? "${var.name}-state-" : null

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "kept" {
  for_each = local.buckets

  bucket = aws_s3_bucket.kept[each.key].id

  rule {
    bucket_key_enabled = each.value.key == "" ? null : true

    apply_server_side_encryption_by_default {
      sse_algorithm     = each.value.key == "" ? "AES256" : "aws:kms"
      kms_master_key_id = each.value.key == "" ? null : each.value.key
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "kept" {
  for_each = local.buckets

  bucket = aws_s3_bucket.kept[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "kept" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.kept[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# A large message, a video's finished part and a count of attempts are of no use once their queues have forgotten them.
resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.kept["state"].id

  dynamic "rule" {
    for_each = toset(["parcels", "parts", "attempts"])

    content {
      id     = rule.key
      status = "Enabled"

      filter {
        prefix = "${rule.key}/"
      }

      expiration {
        days = 30
      }
    }
  }

  rule {
    id     = "unfinished"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

# Darwin's pages load images from the bucket, by signed URLs.
resource "aws_s3_bucket_cors_configuration" "source" {
  for_each = { for name, bucket in aws_s3_bucket.kept : name => bucket if name == "source" }

  bucket = each.value.id

  cors_rule {
    allowed_methods = ["GET", "HEAD"]
    allowed_origins = [var.darwin_url]
    allowed_headers = ["*"]
    max_age_seconds = 3600
  }
}

# This resource replaces all notifications of a bucket, so it must never touch one that exists.
resource "aws_s3_bucket_notification" "source" {
  for_each = { for name, bucket in aws_s3_bucket.kept : name => bucket if name == "source" }

  bucket      = each.value.id
  eventbridge = true
}
