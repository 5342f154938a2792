# What Beagle remembers; and the container to watch, where this module creates it. Both hold what nobody can make anew,
# so Terraform refuses to destroy them: README.md says how to take everything else away.

locals {
  accounts = toset(var.create_bucket ? ["state", "source"] : ["state"])

  source_account = one(concat(
    [for account, one in azurerm_storage_account.kept : { id = one.id, name = one.name } if account == "source"],
    [for id in var.account_id[*] : { id = id, name = element(split("/", id), 8) }],
  ))

  containers = { for container, account in {
    state = { account = "state", name = "state" }
    # What Event Grid could not bring into the queue.
    undelivered = { account = "state", name = "undelivered" }
    source      = { account = "source", name = var.bucket_name }
  } : container => account if contains(local.accounts, account.account) }
  state_container_id  = azurerm_storage_container.kept["state"].id
  source_container_id = "${local.source_account.id}/blobServices/default/containers/${var.bucket_name}"
}

resource "azurerm_storage_account" "kept" {
  for_each = local.accounts

  name                             = "${local.letters}${each.key}${local.own}"
  resource_group_name              = local.group
  location                         = var.location
  account_tier                     = "Standard"
  account_replication_type         = var.replication
  min_tls_version                  = "TLS1_2"
  allow_nested_items_to_be_public  = false
  shared_access_key_enabled        = false
  default_to_oauth_authentication  = true
  local_user_enabled               = false
  cross_tenant_replication_enabled = false

  blob_properties {
    # A role that lets a function write blobs lets it delete their container, too.
    container_delete_retention_policy {
      days = 30
    }

    # Darwin's pages load images from the bucket, by signed URLs.
    dynamic "cors_rule" {
      for_each = each.key == "source" ? [var.darwin_url] : []

      content {
        allowed_origins    = [cors_rule.value]
        allowed_methods    = ["GET", "HEAD"]
        allowed_headers    = ["*"]
        exposed_headers    = ["*"]
        max_age_in_seconds = 3600
      }
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_storage_container" "kept" {
  for_each = local.containers

  name                  = each.value.name
  storage_account_id    = azurerm_storage_account.kept[each.value.account].id
  container_access_type = "private"

  lifecycle {
    prevent_destroy = true
  }
}

# A large message, a video's finished part and a count of attempts are of no use once they have been tried for two days: what
# waits for longer than this because no function runs becomes a dead letter, whose replay makes them anew.
resource "azurerm_storage_management_policy" "state" {
  storage_account_id = azurerm_storage_account.kept["state"].id

  rule {
    name    = "passing"
    enabled = true

    filters {
      blob_types   = ["blockBlob"]
      prefix_match = [for place in ["parcels", "parts", "attempts"] : "${azurerm_storage_container.kept["state"].name}/${place}/"]
    }

    actions {
      base_blob {
        delete_after_days_since_modification_greater_than = 30
      }
    }
  }
}
