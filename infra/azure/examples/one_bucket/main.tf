# Beagle for one container, from a checkout in which `make build PROVIDER=azure` was run. `terraform apply` asks for what
# has no default.

terraform {
  required_version = ">= 1.9"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 5.0, < 6.0"
    }
  }
}

provider "azurerm" {
  subscription_id = var.subscription_id
  # Beagle's own accounts take no keys.
  storage_use_azuread = true
  resource_providers_to_register = [
    "Microsoft.EventGrid",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
  ]

  features {}
}

module "beagle" {
  source = "../.."

  packages      = "${path.root}/../../../../.build"
  location      = var.location
  account_id    = var.account_id
  create_bucket = var.account_id == null
  bucket_name   = var.bucket_name
  prefix        = var.prefix
  team          = var.team
  dataset       = var.dataset
  storage       = var.storage
  access        = var.access
  routes        = var.routes
  alarm_email   = var.alarm_email
}

output "beagle" {
  description = "What `beagle letters --terraform .` reads; api_key_secret is where Darwin's API key goes."
  value       = module.beagle
}
