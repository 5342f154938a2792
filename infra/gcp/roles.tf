# What each function may do, and on what: each has an account of its own, which has a role on single resources and
# nothing on the project.

locals {
  account = { for function, account in google_service_account.stage : function => "serviceAccount:${account.email}" }

  # Which topics a function sends to; dead letters and videos aside, those that come after it.
  sent = {
    prepare  = ["items"]
    extract  = ["items"]
    register = []
  }

  # Which places in which bucket a function may read, or write as well.
  places = merge(
    {
      prepare-state   = { function = "prepare", bucket = google_storage_bucket.state.name, role = "objectUser", prefixes = ["attempts/prepare/", "groups/", "parcels/"] }
      register-state  = { function = "register", bucket = google_storage_bucket.state.name, role = "objectUser", prefixes = ["attempts/register/", "ledger/"] }
      register-parcel = { function = "register", bucket = google_storage_bucket.state.name, role = "objectViewer", prefixes = ["parcels/"] }
    },
    local.read_only ? {
      extract-state     = { function = "extract", bucket = google_storage_bucket.state.name, role = "objectUser", prefixes = ["attempts/extract/", "parcels/", "parts/"] }
      extract-ledger    = { function = "extract", bucket = google_storage_bucket.state.name, role = "objectViewer", prefixes = ["ledger/"] }
      prepare-uploads   = { function = "prepare", bucket = local.source_bucket, role = "objectViewer", prefixes = [var.prefix] }
      extract-uploads   = { function = "extract", bucket = local.source_bucket, role = "objectViewer", prefixes = [var.prefix] }
      prepare-artifacts = { function = "prepare", bucket = local.source_bucket, role = "objectUser", prefixes = [local.artifacts] }
      extract-artifacts = { function = "extract", bucket = local.source_bucket, role = "objectUser", prefixes = [local.artifacts] }
    } : {},
  )
}

resource "google_service_account" "stage" {
  for_each = local.functions

  account_id   = "${var.name}-${each.key}"
  display_name = "Beagle's ${each.key} (${var.name})"
  depends_on   = [google_project_service.needed]
}

resource "google_storage_bucket_iam_member" "objects" {
  for_each = local.places

  bucket = each.value.bucket
  role   = "roles/storage.${each.value.role}"
  member = local.account[each.value.function]

  condition {
    title = "beagle ${each.key}"
    # To list, and to upload in parts, is asked of the bucket; these roles allow nothing else there. Who may not list
    # is told 403 where there is no object, which looks like a lost permission.
    expression = join(" || ", concat(
      ["resource.type == \"storage.googleapis.com/Bucket\""],
      [for prefix in each.value.prefixes : "resource.name.startsWith(${jsonencode("projects/_/buckets/${each.value.bucket}/objects/${prefix}")})"],
    ))
  }
}

resource "google_pubsub_topic_iam_member" "sending" {
  for_each = { for pair in flatten([
    for function in keys(local.functions) : [
      for queue in concat(local.sent[function], ["dead_letters"]) : { function = function, queue = queue }
    ]
  ]) : "${pair.function}-${pair.queue}" => pair }

  topic  = each.value.queue == "dead_letters" ? google_pubsub_topic.dead_letters.id : google_pubsub_topic.work[each.value.queue].id
  role   = "roles/pubsub.publisher"
  member = local.account[each.value.function]
}

# Access may become read-only later: then prepare sends videos as soon as it is told of their topic, and what is sent before
# there is a subscription, nobody hears. So it may not until there is one: it is refused, and its message waits.
resource "google_pubsub_topic_iam_member" "sending_videos" {
  # The parts of a long video go back into the queue that the video came from.
  for_each = toset(local.read_only ? ["prepare", "extract"] : [])

  topic      = google_pubsub_topic.work["videos"].id
  role       = "roles/pubsub.publisher"
  member     = local.account[each.key]
  depends_on = [google_pubsub_subscription.work]
}

resource "google_secret_manager_secret_iam_member" "register" {
  secret_id = local.api_key_secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.account["register"]
}

# Google's own accounts

resource "google_pubsub_topic_iam_member" "announcing" {
  topic  = google_pubsub_topic.work["uploads"].id
  role   = "roles/pubsub.publisher"
  member = data.google_storage_project_service_account.announcing.member
}

# Without both of these no message is ever moved to the dead letters, and nothing says so.
resource "google_pubsub_topic_iam_member" "dead_lettering" {
  topic  = google_pubsub_topic.dead_letters.id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_lettering" {
  for_each = google_pubsub_subscription.work

  subscription = each.value.id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# Pub/Sub calls the functions as this account, and nobody else may.
resource "google_service_account" "push" {
  account_id   = "${var.name}-push"
  display_name = "Calls Beagle's functions for Pub/Sub (${var.name})"
  depends_on   = [google_project_service.needed]
}

# In projects from before 8 April 2021 Pub/Sub may not sign as an account of theirs unless it is told so:
# https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions
resource "google_service_account_iam_member" "signing" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

# A function is a service of Cloud Run of the same name.
resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = google_cloudfunctions2_function.stage

  name     = each.value.name
  location = each.value.location
  role     = "roles/run.invoker"
  member   = "serviceAccount:${google_service_account.push.email}"
}

# Cloud Build makes containers of the archives. Its default account may be without rights, or an editor of the whole
# project; this one has what Google's documentation asks for: it writes images and its log, and reads the sources,
# which lie in a bucket of Cloud Functions' own.
resource "google_service_account" "build" {
  account_id   = "${var.name}-build"
  display_name = "Builds Beagle's functions (${var.name})"
  depends_on   = [google_project_service.needed]
}

resource "google_project_iam_member" "build" {
  for_each = toset(["roles/artifactregistry.writer", "roles/logging.logWriter", "roles/storage.objectViewer"])

  project = local.project
  role    = each.value
  member  = "serviceAccount:${google_service_account.build.email}"
}
