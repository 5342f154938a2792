locals {
  functions = { for function, settings in {
    prepare = {
      # What the instance's memory is for: drawing a large picture needs all of it.
      at_once   = local.read_only ? 1 : 20
      memory    = 2048
      instances = 40
      seconds   = 300
      queue     = "uploads"
    }
    extract = {
      at_once   = 1
      memory    = var.extract_memory
      instances = var.extract_concurrency
      seconds   = 1800
      queue     = "videos"
    }
    register = {
      # One request's items are under way while the next one's gather.
      at_once = 2 * var.items_per_request
      memory  = 2048
      # Few instances know the rate limit best.
      instances = var.register_concurrency
      seconds   = 300
      queue     = "items"
    }
  } : function => settings if local.read_only || function != "extract" }

  # The host takes so many messages in one go, and more as soon as no more than the rest are left.
  batch = { for function, settings in local.functions : function => min(32, ceil(settings.at_once / 2)) }

  environment = merge(
    {
      BEAGLE_DEPLOYMENT          = var.name
      BEAGLE_TEAM                = var.team
      BEAGLE_DATASET             = var.dataset
      BEAGLE_STORAGE             = var.storage
      BEAGLE_ACCESS              = var.access
      BEAGLE_ROUTES_FROM         = var.routes
      BEAGLE_BUCKET              = var.bucket_name
      BEAGLE_PREFIX              = var.prefix
      BEAGLE_ARTIFACT_PREFIX     = local.artifacts
      BEAGLE_DARWIN_URL          = var.darwin_url
      BEAGLE_API_KEY_SECRET      = local.api_key_secret.url
      BEAGLE_UPLOADS_QUEUE       = azurerm_storage_queue.work["uploads"].name
      BEAGLE_ITEMS_QUEUE         = azurerm_storage_queue.work["items"].name
      BEAGLE_DEAD_LETTERS_QUEUE  = azurerm_storage_queue.dead["dead-letters"].name
      BEAGLE_STATE_BUCKET        = azurerm_storage_container.kept["state"].name
      BEAGLE_STATE_URL           = local.state_url
      BEAGLE_ACCOUNT_URL         = "https://${local.source_account.name}.blob.core.windows.net"
      BEAGLE_ITEMS_PER_REQUEST   = tostring(var.items_per_request)
      BEAGLE_REQUESTS_PER_MINUTE = tostring(var.requests_per_minute)
      # By identity: the host finds the queues by these, and Beagle by the first.
      BEAGLE_QUEUES__queueServiceUri = local.queues_url
      BEAGLE_QUEUES__credential      = "managedidentity"
      # Azure's own library would otherwise try each way of signing in that it knows.
      AZURE_TOKEN_CREDENTIALS = "ManagedIdentityCredential"
    },
    { for name in keys(local.queues) : "BEAGLE_VIDEOS_QUEUE" => azurerm_storage_queue.work[name].name if name == "videos" },
  )

  state_url  = "https://${azurerm_storage_account.kept["state"].name}.blob.core.windows.net"
  queues_url = "https://${azurerm_storage_account.kept["state"].name}.queue.core.windows.net"

  archives = { for function in keys(local.functions) : function => "${var.packages}/functions/azure/${function}.zip" }
}

# What the host of an app keeps for itself, the app's package among it. The host must own it all, so each has an account
# of its own: nobody who takes over one function can change another. Here the app needs the account's key: azurerm 5.2
# writes AzureWebJobsStorage with a key in any case, and an identity beside it would be passed over.
# https://github.com/hashicorp/terraform-provider-azurerm/issues/29693
resource "azurerm_storage_account" "host" {
  for_each = local.functions

  name                             = "${local.letters}${each.key}${local.own}"
  resource_group_name              = local.group
  location                         = var.location
  account_tier                     = "Standard"
  account_replication_type         = var.replication
  min_tls_version                  = "TLS1_2"
  allow_nested_items_to_be_public  = false
  local_user_enabled               = false
  cross_tenant_replication_enabled = false
  shared_access_key_enabled        = true
}

resource "azurerm_storage_container" "package" {
  for_each = azurerm_storage_account.host

  name                  = "package"
  storage_account_id    = each.value.id
  container_access_type = "private"
}

# Flex Consumption has one app to a plan.
resource "azurerm_service_plan" "stage" {
  for_each = local.functions

  name                = "${var.name}-${each.key}"
  resource_group_name = local.group
  location            = var.location
  os_type             = "Linux"
  sku_name            = "FC1"
}

resource "azurerm_function_app_flex_consumption" "stage" {
  for_each = local.functions

  name                = "${var.name}-${each.key}-${local.own}"
  resource_group_name = local.group
  location            = var.location
  service_plan_id     = azurerm_service_plan.stage[each.key].id
  https_only          = true

  runtime_name           = "python"
  runtime_version        = "3.13"
  instance_memory_in_mb  = each.value.memory
  maximum_instance_count = each.value.instances

  storage_container_type      = "blobContainer"
  storage_container_endpoint  = "https://${azurerm_storage_account.host[each.key].name}.blob.core.windows.net/${azurerm_storage_container.package[each.key].name}"
  storage_authentication_type = "StorageAccountConnectionString"
  storage_access_key          = azurerm_storage_account.host[each.key].primary_access_key

  # Whoever brings a new package signs in as themselves.
  webdeploy_publish_basic_authentication_enabled = false

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.stage[each.key].id]
  }

  site_config {
    application_insights_connection_string = azurerm_application_insights.functions.connection_string
    minimum_tls_version                    = "1.2"
  }

  app_settings = merge(local.environment, {
    BEAGLE_STAGES             = each.key
    BEAGLE_INVOCATION_SECONDS = tostring(each.value.seconds)
    BEAGLE_QUEUES__clientId   = azurerm_user_assigned_identity.stage[each.key].client_id
    AZURE_CLIENT_ID           = azurerm_user_assigned_identity.stage[each.key].client_id

    APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "ClientId=${azurerm_user_assigned_identity.stage[each.key].client_id};Authorization=AAD"

    # Over what host.json says for all of them.
    AzureFunctionsJobHost__functionTimeout                       = format("%02d:%02d:00", floor(each.value.seconds / 3600), floor(each.value.seconds / 60) % 60)
    AzureFunctionsJobHost__extensions__queues__batchSize         = tostring(local.batch[each.key])
    AzureFunctionsJobHost__extensions__queues__newBatchThreshold = tostring(each.value.at_once - local.batch[each.key])
    # Python would otherwise work on fewer than the host hands out, and those that wait would run out of time.
    PYTHON_THREADPOOL_THREAD_COUNT = tostring(min(32, each.value.at_once))
  })

  # The first messages come as soon as there is a function.
  depends_on = [
    azurerm_role_assignment.blobs,
    azurerm_role_assignment.logs,
    azurerm_role_assignment.queues,
    azurerm_role_assignment.secret,
    azurerm_storage_queue.dead,
  ]
}

# The provider's zip_deploy_file asks an address that Flex Consumption does not have.
# https://github.com/hashicorp/terraform-provider-azurerm/issues/29630
resource "terraform_data" "package" {
  for_each = local.archives

  triggers_replace = [filesha256(each.value), azurerm_function_app_flex_consumption.stage[each.key].id]

  provisioner "local-exec" {
    command = join(" ", [
      "az functionapp deployment source config-zip",
      "--subscription ${data.azurerm_client_config.here.subscription_id}",
      "--resource-group ${local.group}",
      "--name ${azurerm_function_app_flex_consumption.stage[each.key].name}",
      "--src \"${abspath(each.value)}\"",
      "--build-remote false",
    ])
  }
}
