# A slip of the finger meets a sentence at `terraform plan`, before anything is made.

mock_provider "google" {}

variables {
  packages    = "./tests/packages"
  region      = "europe-west1"
  bucket_name = "acme-uploads"
  team        = "acme"
  dataset     = "cars"
  storage     = "acme-uploads"
}

run "slips_of_the_finger_are_refused" {
  command = plan

  variables {
    name                  = "Beagle"
    region                = "EU"
    packages              = "./tests"
    bucket_name           = "Acme"
    bucket_project        = "Acme"
    prefix                = "cars"
    team                  = "acme/labs"
    dataset               = ""
    storage               = "acme uploads"
    access                = "readonly"
    api_key_secret        = { id = "darwin-api-key" }
    darwin_url            = "https://darwin.v7labs.com/api"
    alarm_email           = "ops"
    notification_channels = ["ops"]
  }

  expect_failures = [
    var.name,
    var.region,
    var.packages,
    var.bucket_name,
    var.bucket_project,
    var.prefix,
    var.team,
    var.dataset,
    var.storage,
    var.access,
    var.api_key_secret,
    var.darwin_url,
    var.alarm_email,
    var.notification_channels,
  ]
}

# A name must leave room for "-register" in those of Google's accounts, and what Beagle writes would start it again.
run "too_little_is_refused" {
  command = plan

  variables {
    name                = "a"
    prefix              = ".beagle/frames/"
    routes              = "routes.yaml"
    items_per_request   = 0
    requests_per_minute = 0
    extract_memory      = 4095
    extract_concurrency = 0
  }

  expect_failures = [
    var.name,
    var.prefix,
    var.routes,
    var.items_per_request,
    var.requests_per_minute,
    var.extract_memory,
    var.extract_concurrency,
  ]
}

run "too_much_is_refused" {
  command = plan

  variables {
    name                = "a-name-of-22-character"
    prefix              = "cars//"
    items_per_request   = 501
    requests_per_minute = 1001
    extract_memory      = 32769
    extract_concurrency = 1001
  }

  expect_failures = [
    var.name,
    var.prefix,
    var.items_per_request,
    var.requests_per_minute,
    var.extract_memory,
    var.extract_concurrency,
  ]
}

run "what_is_just_allowed_is_taken" {
  command = plan

  variables {
    name                  = "a-name-of-21-characte"
    region                = "northamerica-northeast1"
    create_bucket         = true
    prefix                = ".hidden/2026/"
    access                = "read_only"
    api_key_secret        = { id = "projects/acme/secrets/darwin" }
    items_per_request     = 500
    requests_per_minute   = 1000
    extract_memory        = 32768
    extract_concurrency   = 1000
    notification_channels = ["projects/acme/notificationChannels/1234567890"]
  }
}

run "a_bucket_of_another_project_is_announced_by_that_projects_cloud_storage" {
  command = plan

  variables {
    bucket_project = "acme-data"
  }

  assert {
    condition     = data.google_storage_project_service_account.announcing.project == "acme-data"
    error_message = "Another project's Cloud Storage would be granted what the bucket's needs."
  }
}

run "a_bucket_that_is_created_is_in_the_own_project" {
  command = plan

  variables {
    create_bucket  = true
    bucket_project = "acme-data"
  }

  expect_failures = [var.bucket_project]
}

# The packages were built without a routes file: everything would go to one dataset.
run "packages_with_other_routes_are_refused" {
  command = plan

  variables {
    routes = "file"
  }

  expect_failures = [var.routes]
}
