# Beagle registers what lands in a Cloud Storage bucket as items of a V7 Darwin dataset.
#
# bucket --OBJECT_FINALIZE--> uploads --> prepare ----> items --> register --> Darwin
#                                          |   `-> videos --> extract -'   |      (read-only storage only)
#                                          `------------------`------------`--> dead letters
#
# The same system as infra/aws, under the same words. A queue is a topic and the one subscription that pushes from it.

locals {
  read_only = var.access == "read_only"
  # That of the provider. (The data source that tells it keeps a token in Terraform's state.)
  project = google_project_service.needed["storage.googleapis.com"].project
  # Pub/Sub's own account in this project: it moves dead letters.
  pubsub_agent = "serviceAccount:service-${data.google_project.here.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

data "google_project" "here" {
  depends_on = [google_project_service.needed]
}

# Cloud Storage's own account in the bucket's project, which announces objects; to ask for it makes it.
data "google_storage_project_service_account" "announcing" {
  project    = var.bucket_project
  depends_on = [google_project_service.needed]
}

# They stay switched on when Beagle goes: others in the project may use them by then.
resource "google_project_service" "needed" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ])

  service            = each.value
  disable_on_destroy = false
}
