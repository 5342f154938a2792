# How the container announces what lands in it. Other subscriptions of the account are left alone.

locals {
  # Where Beagle writes in the watched container.
  artifacts = ".beagle/"
  subjects  = "/blobServices/default/containers/${var.bucket_name}/blobs/"
  # How a subject spells other characters, nobody says; prepare compares the whole prefix.
  plain_prefix = regex("^[A-Za-z0-9._/-]*", var.prefix)

  topic = one(concat(
    [for topic in azurerm_eventgrid_system_topic.own : { name = topic.name, group = topic.resource_group_name, principal = topic.identity[0].principal_id, id = topic.id }],
    [for topic in data.azurerm_eventgrid_system_topic.given : { name = topic.name, group = topic.resource_group_name, principal = topic.identity[0].principal_id, id = topic.id }],
  ))
}

resource "azurerm_eventgrid_system_topic" "own" {
  for_each = toset(var.system_topic == null ? ["own"] : [])

  name                = "${var.name}-uploads"
  resource_group_name = local.group
  location            = var.location
  topic_type          = "Microsoft.Storage.StorageAccounts"
  source_resource_id  = local.source_account.id

  identity {
    type = "SystemAssigned"
  }
}

data "azurerm_eventgrid_system_topic" "given" {
  for_each = { for topic in var.system_topic[*] : "given" => split("/", topic.id) }

  name                = each.value[8]
  resource_group_name = each.value[4]

  lifecycle {
    postcondition {
      condition     = try(self.identity[0].principal_id, "") != ""
      error_message = "The system topic needs an identity of its own to deliver with: az eventgrid system-topic update --identity systemassigned"
    }
    postcondition {
      condition     = lower(self.source_resource_id) == lower(var.account_id)
      error_message = "The system topic is of another storage account than account_id."
    }
  }
}

resource "azurerm_eventgrid_system_topic_event_subscription" "created" {
  name                  = "${var.name}-created"
  system_topic          = local.topic.name
  resource_group_name   = local.topic.group
  event_delivery_schema = "EventGridSchema"
  included_event_types  = ["Microsoft.Storage.BlobCreated"]

  subject_filter {
    subject_begins_with = "${local.subjects}${local.plain_prefix}"
    case_sensitive      = true
  }

  # The artifacts must not start it again. (Nor does what lies below ".BEAGLE/": these filters do not look at case.)
  advanced_filter {
    string_not_begins_with {
      key    = "subject"
      values = ["${local.subjects}${local.artifacts}"]
    }
  }

  storage_queue_endpoint {
    storage_account_id = azurerm_storage_account.kept["state"].id
    queue_name         = azurerm_storage_queue.work["uploads"].name
    # For ever: a message that its time had run out for would be gone without a trace.
    queue_message_time_to_live_in_seconds = -1
  }

  delivery_identity {
    type = "SystemAssigned"
  }

  retry_policy {
    max_delivery_attempts = 30
    event_time_to_live    = 24 * 60
  }

  storage_blob_dead_letter_destination {
    storage_account_id          = azurerm_storage_account.kept["state"].id
    storage_blob_container_name = azurerm_storage_container.kept["undelivered"].name
  }

  dead_letter_identity {
    type = "SystemAssigned"
  }

  # Without them Event Grid may not deliver; and what is announced should find somebody who listens.
  depends_on = [azurerm_role_assignment.announcing, azurerm_function_app_flex_consumption.stage]
}
