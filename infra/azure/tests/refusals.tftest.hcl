# A slip of the finger meets a sentence at `terraform plan`, before anything is made.

mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = { object_id = "00000000-0000-4000-8000-000000000000" }
  }
}

variables {
  packages    = "./tests/packages"
  location    = "westeurope"
  account_id  = "/subscriptions/s/resourceGroups/acme/providers/Microsoft.Storage/storageAccounts/acmedata"
  bucket_name = "uploads"
  team        = "acme"
  dataset     = "cars"
  storage     = "acme-uploads"
}

run "slips_of_the_finger_are_refused" {
  command = plan

  variables {
    name                = "Beagle"
    location            = "West Europe"
    resource_group_name = "acme."
    packages            = "./tests"
    account_id          = "acmedata"
    bucket_name         = "a--b"
    prefix              = "cars"
    team                = "acme/labs"
    dataset             = ""
    storage             = "acme uploads"
    access              = "readonly"
    api_key_secret      = { id = "https://acme.vault.azure.net/secrets/darwin" }
    darwin_url          = "https://darwin.v7labs.com/api"
    extract_memory      = 3072
    replication         = "RAGRS"
    operators           = ["ops@example.com"]
    alarm_email         = "ops"
    action_groups       = ["ops"]
    log_retention_days  = 29
  }

  expect_failures = [
    var.name,
    var.location,
    var.resource_group_name,
    var.packages,
    var.account_id,
    var.bucket_name,
    var.prefix,
    var.team,
    var.dataset,
    var.storage,
    var.access,
    var.api_key_secret,
    var.darwin_url,
    var.extract_memory,
    var.replication,
    var.operators,
    var.alarm_email,
    var.action_groups,
    var.log_retention_days,
  ]
}

# What Beagle writes would start it again, and the container must be somewhere.
run "too_little_is_refused" {
  command = plan

  variables {
    name                 = "a"
    account_id           = null
    prefix               = ".beagle/frames/"
    routes               = "routes.yaml"
    items_per_request    = 0
    requests_per_minute  = 0
    register_concurrency = 0
    extract_concurrency  = 0
  }

  expect_failures = [
    var.name,
    var.create_bucket,
    var.prefix,
    var.routes,
    var.items_per_request,
    var.requests_per_minute,
    var.register_concurrency,
    var.extract_concurrency,
  ]
}

# An account that this module creates has no topic yet.
run "too_much_is_refused" {
  command = plan

  variables {
    name                 = "a-name-of-25-characters-x"
    account_id           = null
    create_bucket        = true
    system_topic         = { id = "/subscriptions/s/resourceGroups/acme/providers/Microsoft.EventGrid/systemTopics/acme" }
    prefix               = "cars//"
    items_per_request    = 501
    requests_per_minute  = 1001
    register_concurrency = 1001
    extract_concurrency  = 1001
    log_retention_days   = 731
  }

  expect_failures = [
    var.name,
    var.system_topic,
    var.prefix,
    var.items_per_request,
    var.requests_per_minute,
    var.register_concurrency,
    var.extract_concurrency,
    var.log_retention_days,
  ]
}

run "what_exists_is_not_created" {
  command = plan

  variables {
    create_bucket = true
  }

  expect_failures = [var.create_bucket]
}

run "what_is_no_topic_is_refused" {
  command = plan

  variables {
    system_topic = { id = "uploads" }
  }

  expect_failures = [var.system_topic]
}

run "a_topic_without_an_identity_is_refused" {
  command = plan

  variables {
    system_topic = { id = "/subscriptions/s/resourceGroups/acme/providers/Microsoft.EventGrid/systemTopics/acme" }
  }

  override_data {
    target = data.azurerm_eventgrid_system_topic.given["given"]
    values = {
      identity           = []
      source_resource_id = "/subscriptions/s/resourceGroups/acme/providers/Microsoft.Storage/storageAccounts/acmedata"
    }
  }

  expect_failures = [data.azurerm_eventgrid_system_topic.given["given"]]
}

run "a_topic_of_another_account_is_refused" {
  command = plan

  variables {
    system_topic = { id = "/subscriptions/s/resourceGroups/acme/providers/Microsoft.EventGrid/systemTopics/acme" }
  }

  override_data {
    target = data.azurerm_eventgrid_system_topic.given["given"]
    values = {
      identity           = [{ type = "SystemAssigned", principal_id = "p", tenant_id = "t", identity_ids = [] }]
      source_resource_id = "/subscriptions/s/resourceGroups/acme/providers/Microsoft.Storage/storageAccounts/another"
    }
  }

  expect_failures = [data.azurerm_eventgrid_system_topic.given["given"]]
}

# With all that exists already: nothing of it is made anew.
run "what_is_just_allowed_is_taken" {
  command = plan

  variables {
    name                 = "a-name-of-24-characters0"
    resource_group_name  = "acme_(data).1"
    system_topic         = { id = "/subscriptions/s/resourceGroups/acme/providers/Microsoft.EventGrid/systemTopics/acme" }
    prefix               = ".hidden/2026/"
    access               = "read_only"
    api_key_secret       = { id = "/subscriptions/s/resourceGroups/acme/providers/Microsoft.KeyVault/vaults/acme/secrets/darwin" }
    items_per_request    = 500
    requests_per_minute  = 1000
    register_concurrency = 1000
    extract_memory       = 2048
    extract_concurrency  = 1
    replication          = "LRS"
    operators            = []
    action_groups        = ["/subscriptions/s/resourceGroups/acme/providers/Microsoft.Insights/actionGroups/ops"]
    log_retention_days   = 730
  }

  override_data {
    target = data.azurerm_eventgrid_system_topic.given["given"]
    values = {
      name                = "acme"
      resource_group_name = "acme"
      identity            = [{ type = "SystemAssigned", principal_id = "p", tenant_id = "t", identity_ids = [] }]
      source_resource_id  = "/subscriptions/s/resourceGroups/acme/providers/Microsoft.Storage/storageAccounts/acmedata"
    }
  }

  assert {
    condition     = output.api_key_secret == "https://acme.vault.azure.net/secrets/darwin"
    error_message = "The functions read another secret than the one that was given."
  }
  assert {
    condition     = length(azurerm_eventgrid_system_topic.own) + length(azurerm_key_vault.own) + length(azurerm_resource_group.own) == 0
    error_message = "Something was made anew that exists."
  }
  assert {
    condition = (
      azurerm_eventgrid_system_topic_event_subscription.created.system_topic == "acme" &&
      azurerm_role_assignment.announcing["uploads"].principal_id == "p"
    )
    error_message = "The subscription is of another topic, or another topic delivers."
  }
  assert {
    condition     = length(azurerm_role_assignment.operators) + length(azurerm_role_assignment.secret_operators) == 0
    error_message = "Somebody may operate it whom nobody named."
  }
}

# The packages were built without a routes file: everything would go to one dataset.
run "packages_with_other_routes_are_refused" {
  command = plan

  variables {
    routes = "file"
  }

  expect_failures = [var.routes]
}
