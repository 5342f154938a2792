variable "region" {
  description = "The AWS region of the bucket."
  type        = string
}

variable "bucket_name" {
  description = "The bucket to watch; Amazon EventBridge notifications are switched on in its properties."
  type        = string
}

variable "prefix" {
  description = "Only objects below this prefix become items."
  type        = string
  default     = ""
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
  description = "The name of the storage integration in Darwin that points at the bucket."
  type        = string
}

variable "access" {
  description = "What Darwin may do in the bucket: read_write or read_only."
  type        = string
  default     = "read_write"
}

variable "routes" {
  description = "parameters, or file for packages that were built with a routes file: it says so in every run."
  type        = string
  default     = "parameters"
}

variable "alarm_email" {
  description = "Who is told when something stands still."
  type        = string
  default     = ""
}
