# Beagle for one bucket. From here, after `make build`:
#
#   terraform init
#   terraform apply          # asks for region, bucket, team, dataset and storage
#   aws secretsmanager put-secret-value --secret-id ARN --secret-string KEY

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

  packages     = "${path.root}/../../../../.build"
  architecture = "arm64"

  bucket_name = var.bucket_name
  prefix      = "incoming/"

  team    = var.team
  dataset = var.dataset
  storage = var.storage
  access  = "read_only"

  alarm_email = var.alarm_email
}

variable "region" {
  description = "The AWS region of the bucket."
  type        = string
}

variable "bucket_name" {
  description = "The bucket to watch."
  type        = string
}

variable "team" {
  description = "The team's slug in Darwin."
  type        = string
}

variable "dataset" {
  description = "The slug of the dataset that receives the items."
  type        = string
}

variable "storage" {
  description = "The name of the storage integration in Darwin."
  type        = string
}

variable "alarm_email" {
  description = "Who is told when something stands still."
  type        = string
  default     = ""
}

output "beagle" {
  description = "What `beagle letters --terraform .` reads."
  value       = module.beagle
}
