# What fails comes again after ten minutes, for two days: functions/azure/host.json says so. What can never work is
# dead-lettered by the functions at once, so the many attempts are there to outlive an outage of Darwin. What has used
# them up, the function makes a dead letter, too. Where it cannot, the host puts it into the queue's poison queue, where it is
# kept for a week.

locals {
  queues = { for queue, function in { uploads = "prepare", items = "register", videos = "extract" } :
    queue => function if local.read_only || queue != "videos"
  }

  # The other queues: no function listens to them, an operator's command reads them.
  dead_ends = toset(concat(["dead-letters"], [for queue in keys(local.queues) : "${queue}-poison"]))
}

resource "azurerm_storage_queue" "work" {
  for_each = local.queues

  name               = each.key
  storage_account_id = azurerm_storage_account.kept["state"].id
}

# The host would create a poison queue when it first needs one; so created, it needs no permission to.
resource "azurerm_storage_queue" "dead" {
  for_each = local.dead_ends

  name               = each.key
  storage_account_id = azurerm_storage_account.kept["state"].id
}
