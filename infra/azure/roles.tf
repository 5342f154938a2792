# What each function may do, and on what: each has an identity of its own, which has a role on single queues, on places
# in containers and on one secret, and nothing on the resource group.

locals {
  # Which queues a function sends to: dead letters, what the host gives up, and the queues that come after it.
  sent = { for function, queues in {
    prepare = local.read_only ? ["items", "videos"] : ["items"]
    # The parts of a long video go back into the queue that the video came from, which extract may write to anyway.
    extract  = ["items"]
    register = []
  } : function => queues if contains(keys(local.functions), function) }

  queue_ids = merge(
    { for name, queue in azurerm_storage_queue.work : name => queue.id },
    { for name, queue in azurerm_storage_queue.dead : name => queue.id },
  )

  queue_roles = merge(
    # A reader and processor of messages could not put one off, nor keep one for as long as it takes.
    # https://github.com/MicrosoftDocs/azure-docs/issues/120932
    { for function, settings in local.functions : "${function}-${settings.queue}" => { function = function, queue = settings.queue, role = "Storage Queue Data Contributor" } },
    { for pair in flatten([for function, settings in local.functions : [
      for queue in concat(local.sent[function], ["dead-letters", "${settings.queue}-poison"]) : { function = function, queue = queue }
    ]]) : "${pair.function}-${pair.queue}" => merge(pair, { role = "Storage Queue Data Message Sender" }) },
  )

  # Which places in which container a function may read, or write as well; without prefixes, all of it.
  places = { for place, one in {
    prepare-state     = { function = "prepare", container = "state", role = "Contributor", prefixes = ["attempts/prepare/", "groups/", "parcels/"] }
    extract-state     = { function = "extract", container = "state", role = "Contributor", prefixes = ["attempts/extract/", "parcels/", "parts/"] }
    extract-ledger    = { function = "extract", container = "state", role = "Reader", prefixes = ["ledger/"] }
    register-state    = { function = "register", container = "state", role = "Contributor", prefixes = ["attempts/register/", "ledger/"] }
    register-parcels  = { function = "register", container = "state", role = "Reader", prefixes = ["parcels/"] }
    prepare-uploads   = { function = "prepare", container = "source", role = "Reader", prefixes = [] }
    extract-uploads   = { function = "extract", container = "source", role = "Reader", prefixes = [] }
    prepare-artifacts = { function = "prepare", container = "source", role = "Writer", prefixes = [local.artifacts] }
    extract-artifacts = { function = "extract", container = "source", role = "Writer", prefixes = [local.artifacts] }
  } : place => one if local.read_only || (one.function != "extract" && one.container == "state") }
  container_ids = { state = local.state_container_id, source = local.source_container_id }

  # Azure's own roles that write blobs may delete their container, too, which no condition can forbid. In the watched one that
  # is out of the question.
  writer = one([for role in azurerm_role_definition.writer : role.role_definition_resource_id])

  # To list is allowed; who may not is told 403 where there is no blob, which looks like a lost permission.
  blobs   = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
  unasked = "!(ActionMatches{'${local.blobs}/read'} AND NOT SubOperationMatches{'Blob.List'})"
  unwritten = join(" AND ", [
    for action in ["write", "add/action", "delete", "move/action"] : "!(ActionMatches{'${local.blobs}/${action}'})"
  ])

  operators = coalesce(var.operators, [data.azurerm_client_config.here.object_id])
}

resource "azurerm_user_assigned_identity" "stage" {
  for_each = local.functions

  name                = "${var.name}-${each.key}"
  resource_group_name = local.group
  location            = var.location
}

resource "azurerm_role_assignment" "queues" {
  for_each = local.queue_roles

  scope                = local.queue_ids[each.value.queue]
  role_definition_name = each.value.role
  principal_id         = azurerm_user_assigned_identity.stage[each.value.function].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_definition" "writer" {
  for_each = toset(local.read_only ? ["writer"] : [])

  name        = "Beagle ${var.name} ${local.own}: artifacts"
  description = "Writes blobs, and deletes none, nor their container."
  # The resource group of the watched account.
  scope = one(concat(
    [for id in var.account_id[*] : join("/", slice(split("/", id), 0, 5))],
    [for _ in setintersection(local.accounts, ["source"]) : "/subscriptions/${data.azurerm_client_config.here.subscription_id}/resourceGroups/${local.group}"],
  ))

  permissions {
    data_actions = ["${local.blobs}/read", "${local.blobs}/write"]
  }
}

resource "azurerm_role_assignment" "blobs" {
  for_each = local.places

  scope                = local.container_ids[each.value.container]
  role_definition_name = each.value.role == "Writer" ? null : "Storage Blob Data ${each.value.role}"
  role_definition_id   = each.value.role == "Writer" ? local.writer : null
  principal_id         = azurerm_user_assigned_identity.stage[each.value.function].principal_id
  principal_type       = "ServicePrincipal"
  condition_version    = length(each.value.prefixes) == 0 ? null : "2.0"
  condition = length(each.value.prefixes) == 0 ? null : join(" ", [
    "((${local.unasked} AND ${local.unwritten}) OR",
    "(${join(" OR ", [for prefix in each.value.prefixes : "@Resource[${local.blobs}:path] StringStartsWith '${prefix}'"])}))",
  ])
}

resource "azurerm_role_assignment" "secret" {
  scope                = local.api_key_secret.scope
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.stage["register"].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "logs" {
  for_each = local.functions

  scope                = azurerm_application_insights.functions.id
  role_definition_name = "Monitoring Metrics Publisher"
  principal_id         = azurerm_user_assigned_identity.stage[each.key].principal_id
  principal_type       = "ServicePrincipal"
}

# Event Grid, which has no other way in: no keys, and no address that others could call.
resource "azurerm_role_assignment" "announcing" {
  for_each = {
    uploads     = { scope = azurerm_storage_queue.work["uploads"].id, role = "Storage Queue Data Message Sender" }
    undelivered = { scope = azurerm_storage_container.kept["undelivered"].id, role = "Storage Blob Data Contributor" }
  }

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = local.topic.principal
  principal_type       = "ServicePrincipal"
}

# People. Replayed messages go into uploads.
resource "azurerm_role_assignment" "operators" {
  for_each = { for pair in setproduct(local.operators, concat(tolist(local.dead_ends), ["uploads"])) :
    "${pair[0]} ${pair[1]}" => { operator = pair[0], queue = pair[1], role = pair[1] == "uploads" ? "Message Sender" : "Contributor" }
  }

  scope                = local.queue_ids[each.value.queue]
  role_definition_name = "Storage Queue Data ${each.value.role}"
  principal_id         = each.value.operator
}

# What Event Grid could not deliver: README.md says how it is brought back.
resource "azurerm_role_assignment" "undelivered" {
  for_each = local.operators

  scope                = azurerm_storage_container.kept["undelivered"].id
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = each.value
}

resource "azurerm_role_assignment" "secret_operators" {
  for_each = var.api_key_secret == null ? local.operators : []

  scope                = local.api_key_secret.scope
  role_definition_name = "Key Vault Secrets Officer"
  principal_id         = each.value
}
