# Darwin's API key. Its value is put in after the deployment, so that it is neither here nor in Terraform's state.

locals {
  given_secret = { for secret in var.api_key_secret[*] : "given" => split("/", secret.id) }

  # Where it is, and on what register may read it: in Beagle's own vault there is nothing else.
  api_key_secret = one(concat(
    [for vault in azurerm_key_vault.own : { url = "${vault.vault_uri}secrets/darwin-api-key", scope = vault.id }],
    [for parts in local.given_secret : { url = "https://${parts[8]}.vault.azure.net/secrets/${parts[10]}", scope = join("/", parts) }],
  ))
}

resource "azurerm_key_vault" "own" {
  for_each = toset(var.api_key_secret == null ? ["own"] : [])

  name                       = "${substr(replace(var.name, "-", ""), 0, 15)}-${local.own}"
  resource_group_name        = local.group
  location                   = var.location
  tenant_id                  = data.azurerm_client_config.here.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  # An API key can be made anew, and a vault that cannot be purged keeps its name for months.
  purge_protection_enabled   = false
  soft_delete_retention_days = 7
}
