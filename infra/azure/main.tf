# Beagle registers what lands in a container of Azure Blob Storage as items of a V7 Darwin dataset.
#
# container --BlobCreated--> uploads --> prepare ----> items --> register --> Darwin
#                                         |   `-> videos --> extract -'   |      (read-only storage only)
#                                         `------------------`------------`--> dead letters
#
# The same system as infra/aws, under the same words. A bucket is a container here, and a function an app of its own.

locals {
  read_only = var.access == "read_only"
  group     = one(concat([for group in azurerm_resource_group.own : group.name], var.resource_group_name[*]))

  # The names of accounts, vaults and apps are everybody's, so they end in something of this deployment's own. Those of
  # accounts have at most 24 letters and digits.
  own        = substr(sha256("${data.azurerm_client_config.here.subscription_id}/${local.group_name}/${var.name}"), 0, 8)
  letters    = substr(replace(var.name, "-", ""), 0, 8)
  group_name = coalesce(var.resource_group_name, var.name)
}

data "azurerm_client_config" "here" {}

resource "azurerm_resource_group" "own" {
  for_each = toset(var.resource_group_name == null ? ["own"] : [])

  name     = var.name
  location = var.location
}
