# Where the functions' lines go; Azure keeps them as AppTraces, AppRequests and AppExceptions.

resource "azurerm_log_analytics_workspace" "logs" {
  name                = "${var.name}-logs"
  resource_group_name = local.group
  location            = var.location
  sku                 = "PerGB2018"
  retention_in_days   = var.log_retention_days
}

resource "azurerm_application_insights" "functions" {
  name                = "${var.name}-functions"
  resource_group_name = local.group
  location            = var.location
  workspace_id        = azurerm_log_analytics_workspace.logs.id
  application_type    = "web"
  # Only who has the role may write, as the functions have.
  local_authentication_enabled = false
}
