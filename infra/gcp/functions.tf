locals {
  functions = { for function, settings in {
    prepare = {
      description = "Derives the item of each uploaded object, and the artifacts that read-only storage needs."
      seconds     = 120
      memory      = local.read_only ? 2048 : 1024
      processors  = 1
      # Without artifacts it only waits for Pub/Sub; drawing a large picture needs a whole instance.
      at_once   = local.read_only ? 1 : 20
      instances = 100
      queue     = "uploads"
    }
    extract = {
      description = "Makes the frames, segments and thumbnails of read-only videos; long ones in parts."
      # Pub/Sub waits no longer for a push. Files lie in memory, the uploaded one too.
      seconds    = 600
      memory     = var.extract_memory
      processors = local.extract_processors
      at_once    = 1
      instances  = var.extract_concurrency
      queue      = "videos"
    }
    register = {
      description = "Registers items with Darwin, many to a request, and paces itself to Darwin's limits."
      seconds     = 120
      memory      = 512
      processors  = 1
      # One request's items are under way while the next one's gather.
      at_once = min(2 * var.items_per_request, 1000)
      # Few instances know the rate limit best; the second takes over while the first starts anew.
      instances = 2
      queue     = "items"
    }
  } : function => settings if local.read_only || function != "extract" }

  # https://docs.cloud.google.com/run/docs/configuring/services/memory-limits
  extract_processors = var.extract_memory <= 8192 ? 2 : var.extract_memory <= 16384 ? 4 : var.extract_memory <= 24576 ? 6 : 8

  environment = {
    BEAGLE_DEPLOYMENT          = var.name
    BEAGLE_TEAM                = var.team
    BEAGLE_DATASET             = var.dataset
    BEAGLE_STORAGE             = var.storage
    BEAGLE_ACCESS              = var.access
    BEAGLE_ROUTES_FROM         = var.routes
    BEAGLE_BUCKET              = var.bucket_name
    BEAGLE_PREFIX              = var.prefix
    BEAGLE_ARTIFACT_PREFIX     = local.artifacts
    BEAGLE_DARWIN_URL          = var.darwin_url
    BEAGLE_API_KEY_SECRET      = local.api_key_secret_id
    BEAGLE_UPLOADS_QUEUE       = google_pubsub_topic.work["uploads"].id
    BEAGLE_VIDEOS_QUEUE        = local.read_only ? google_pubsub_topic.work["videos"].id : ""
    BEAGLE_ITEMS_QUEUE         = google_pubsub_topic.work["items"].id
    BEAGLE_DEAD_LETTERS_QUEUE  = google_pubsub_topic.dead_letters.id
    BEAGLE_STATE_BUCKET        = google_storage_bucket.state.name
    BEAGLE_ITEMS_PER_REQUEST   = tostring(var.items_per_request)
    BEAGLE_REQUESTS_PER_MINUTE = tostring(var.requests_per_minute)
  }

  archives = { for function in keys(local.functions) : function => "${var.packages}/functions/gcp/${function}.zip" }
}

# A function is built anew only when its archive has another name.
resource "google_storage_bucket_object" "archive" {
  for_each = local.archives

  bucket = google_storage_bucket.state.name
  name   = "code/${each.key}-${substr(filesha256(each.value), 0, 16)}.zip"
  source = each.value
}

resource "google_cloudfunctions2_function" "stage" {
  for_each = local.functions

  name        = "${var.name}-${each.key}"
  description = each.value.description
  location    = var.region

  build_config {
    runtime         = "python313"
    entry_point     = "handler"
    service_account = google_service_account.build.id

    source {
      storage_source {
        bucket = google_storage_bucket_object.archive[each.key].bucket
        object = google_storage_bucket_object.archive[each.key].name
      }
    }
  }

  service_config {
    available_memory                 = "${each.value.memory}Mi"
    available_cpu                    = tostring(each.value.processors)
    timeout_seconds                  = each.value.seconds
    max_instance_count               = each.value.instances
    max_instance_request_concurrency = each.value.at_once
    service_account_email            = google_service_account.stage[each.key].email
    # Pub/Sub of the same project counts as internal, by the address that Cloud Run gives:
    # https://docs.cloud.google.com/run/docs/securing/ingress
    ingress_settings               = "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision = true

    environment_variables = merge(local.environment, {
      BEAGLE_INVOCATION_SECONDS = tostring(each.value.seconds)
      # Files lie in memory: what does not fit is refused before it is fetched.
      BEAGLE_MEMORY_MEGABYTES = tostring(each.value.memory)
      # functions-framework would serve four requests at once per processor.
      THREADS = tostring(each.value.at_once)
    })
  }

  # The first messages come as soon as there is a function. (Sending videos must wait for their subscription.)
  depends_on = [
    google_project_iam_member.build,
    google_pubsub_topic_iam_member.sending,
    google_secret_manager_secret_iam_member.register,
    google_storage_bucket_iam_member.objects,
  ]
}
