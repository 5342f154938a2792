# Beagle for one bucket, from a checkout in which `make build` was run. `terraform apply` asks for what has no default.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { application = "beagle" }
  }
}

module "beagle" {
  source = "../.."

  packages    = "${path.root}/../../../../.build"
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
