# A slip of the finger meets a sentence at `terraform plan`, before anything is made.

mock_provider "aws" {
  source = "./tests/aws"
}

variables {
  packages    = "./tests/packages"
  bucket_name = "acme-uploads"
  team        = "acme"
  dataset     = "cars"
  storage     = "acme-uploads"
}

run "a_prefix_without_slash_is_refused" {
  command = plan

  variables {
    prefix = "cars"
  }

  expect_failures = [var.prefix]
}

# Permissions would take it for more than one folder.
run "a_prefix_that_matches_others_is_refused" {
  command = plan

  variables {
    prefix = "site-?/"
  }

  expect_failures = [var.prefix]
}

run "slips_of_the_finger_are_refused" {
  command = plan

  variables {
    name                     = "Beagle"
    bucket_name              = "Acme"
    prefix                   = "cars//"
    team                     = "acme/labs"
    dataset                  = ""
    storage                  = "acme uploads"
    access                   = "readonly"
    routes                   = "routes.yaml"
    api_key_secret           = { arn = "darwin-api-key" }
    darwin_url               = "https://darwin.v7labs.com/api"
    architecture             = "arm"
    alarm_email              = "ops"
    log_retention_days       = 31
    bucket_kms_key_arn       = "alias/uploads"
    kms_key_arn              = "alias/beagle"
    permissions_boundary_arn = "bounds"
  }

  expect_failures = [
    var.name,
    var.bucket_name,
    var.prefix,
    var.team,
    var.dataset,
    var.storage,
    var.access,
    var.routes,
    var.api_key_secret,
    var.darwin_url,
    var.architecture,
    var.alarm_email,
    var.log_retention_days,
    var.bucket_kms_key_arn,
    var.kms_key_arn,
    var.permissions_boundary_arn,
  ]
}

run "too_little_is_refused" {
  command = plan

  variables {
    items_per_request   = 0
    requests_per_minute = 0
    extract_memory      = 1768
    prepare_concurrency = 1
    extract_concurrency = 1
  }

  expect_failures = [
    var.items_per_request,
    var.requests_per_minute,
    var.prepare_concurrency,
    var.extract_memory,
    var.extract_concurrency,
  ]
}

run "too_much_is_refused" {
  command = plan

  variables {
    items_per_request   = 501
    requests_per_minute = 1001
    extract_memory      = 10241
    prepare_concurrency = 1001
    extract_concurrency = 1001
  }

  expect_failures = [
    var.items_per_request,
    var.requests_per_minute,
    var.prepare_concurrency,
    var.extract_memory,
    var.extract_concurrency,
  ]
}

# Nobody built packages there, and a topic has an ARN.
run "what_is_none_is_refused" {
  command = plan

  variables {
    packages        = "./tests"
    alarm_topic_arn = "ops"
  }

  expect_failures = [var.packages, var.alarm_topic_arn]
}

# Beagle writes there, the packages are for other processors and without routes, and a topic has its own subscriptions.
run "what_contradicts_itself_is_refused" {
  command = plan

  variables {
    prefix          = ".beagle/frames/"
    routes          = "file"
    architecture    = "x86_64"
    alarm_email     = "ops@example.com"
    alarm_topic_arn = "arn:aws:sns:eu-west-1:123456789012:ops"
  }

  expect_failures = [var.prefix, var.routes, var.architecture, var.alarm_topic_arn]
}

run "what_is_just_allowed_is_taken" {
  command = plan

  variables {
    name                = "b1"
    prefix              = ".hidden/2026/"
    items_per_request   = 500
    requests_per_minute = 1000
    extract_memory      = 10240
    prepare_concurrency = 1000
    extract_concurrency = 1000
    log_retention_days  = 3653
  }
}
