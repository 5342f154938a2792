# Beagle for one bucket, from a checkout in which `make build PROVIDER=gcp` was run. `terraform apply` asks for what
# has no default.

terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.0, < 8.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region

  default_labels = { application = "beagle" }
}

module "beagle" {
  source = "../.."

  packages    = "${path.root}/../../../../.build"
  region      = var.region
  bucket_name = var.bucket_name
  prefix      = var.prefix
  team        = var.team
  dataset     = var.dataset
  storage     = var.storage
  access      = var.access
  routes      = var.routes
  alarm_email = var.alarm_email
}

output "beagle" {
  description = "What `beagle letters --terraform .` reads; api_key_secret is where Darwin's API key goes."
  value       = module.beagle
}
