# The same words as infra/aws, where they mean the same.

variable "name" {
  description = "What this deployment is called: the start of its resources' names, and the name of its metrics."
  type        = string
  default     = "beagle"
  nullable    = false

  # Google's accounts have at most 30 characters, "-register" among them.
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 21 lower-case letters, digits and hyphens, as \"beagle-cars\"."
  }
}

variable "region" {
  description = "Where the functions run and the state lies; best where the bucket is."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region of Google Cloud, as \"europe-west1\"."
  }
}

# What is deployed

variable "packages" {
  description = "The folder that `make build PROVIDER=gcp` has filled: \".build\" in the checkout."
  type        = string
  nullable    = false

  validation {
    condition = alltrue([
      for function in ["prepare", "extract", "register"] : fileexists("${var.packages}/functions/gcp/${function}.zip")
    ])
    error_message = "packages must be the folder with the functions' zip files: run \"make build PROVIDER=gcp\", then name \".build\"."
  }
}

# What to watch

variable "bucket_name" {
  description = "The bucket to watch. With read_only access, one that exists must have uniform bucket-level access."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be the name of a Cloud Storage bucket, as \"acme-uploads\"."
  }
}

variable "create_bucket" {
  description = "Whether this module creates the bucket, or it exists already. An existing bucket only gets a notification, and grants for the functions."
  type        = bool
  default     = false
  nullable    = false
}

variable "bucket_project" {
  description = "The project of a bucket that exists, where it is another than the provider's: its Cloud Storage is who announces objects."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_project == null || can(regex("^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.bucket_project))
    error_message = "bucket_project must be a project's id, as \"acme-data\"."
  }

  validation {
    condition     = var.bucket_project == null || !var.create_bucket
    error_message = "A bucket that this module creates is in the provider's project: leave bucket_project out, or set create_bucket = false."
  }
}

variable "prefix" {
  description = "Only objects below this prefix become items. Empty for the whole bucket."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(|.*[^/]/)$", var.prefix))
    error_message = "prefix must be empty or end with a single \"/\", or \"cars\" would also match \"cars-backup/\"."
  }

  # Ending in "/", a prefix cannot hold the artifacts below ".beagle/" unless it starts there itself.
  validation {
    condition     = !startswith(var.prefix, ".beagle/")
    error_message = "prefix must be no place of Beagle's own: what it writes below \".beagle/\" would start it again."
  }
}

# Where it goes in Darwin

variable "team" {
  description = "The team's slug, as it stands in Darwin's address bar."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_.-]*$", var.team))
    error_message = "team must be a slug, as \"acme\"."
  }
}

variable "dataset" {
  description = "The slug of the dataset that receives the items."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_.-]*$", var.dataset))
    error_message = "dataset must be a slug, as \"cars\"."
  }
}

variable "storage" {
  description = "The name of the storage integration in Darwin (Settings, Storage) that points at the bucket."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_.-]*$", var.storage))
    error_message = "storage must be a storage integration's name, as \"acme-uploads\"."
  }
}

variable "access" {
  description = "What Darwin may do in the bucket. With read_only Beagle makes thumbnails and frames, below \".beagle/\" in the same bucket. With a routes file: read_only as soon as one route is."
  type        = string
  default     = "read_write"
  nullable    = false

  validation {
    condition     = contains(["read_write", "read_only"], var.access)
    error_message = "access must be \"read_write\" or \"read_only\"."
  }
}

# A build that forgot the file would send everything to one dataset, and nothing takes that back.
variable "routes" {
  description = "What says which objects become items of which dataset: the variables above, or the routes file that the functions were built with (make build PROVIDER=gcp ROUTES=routes.yaml). Functions that were built otherwise refuse to start."
  type        = string
  default     = "parameters"
  nullable    = false

  validation {
    condition     = contains(["parameters", "file"], var.routes)
    error_message = "routes must be \"parameters\" or \"file\"."
  }

  validation {
    condition     = try(trimspace(file("${var.packages}/functions/gcp/routes")), var.routes) == var.routes
    error_message = "The packages were built with other routes: run \"make build PROVIDER=gcp ROUTES=routes.yaml\" for routes = \"file\", \"make build PROVIDER=gcp\" for \"parameters\"."
  }
}

# An object, because Terraform must know when it plans whether there is a secret, and cannot know the name of one
# that the same run creates.
variable "api_key_secret" {
  description = "The secret that holds Darwin's API key and nothing else. Left out, the module creates one, to which you add a version after the deployment."
  type        = object({ id = string })
  default     = null

  validation {
    condition     = var.api_key_secret == null || can(regex("^projects/[^/]+/secrets/[A-Za-z0-9_-]+$", var.api_key_secret.id))
    error_message = "api_key_secret.id must name a secret in Secret Manager, as \"projects/acme/secrets/darwin\"."
  }
}

# Rarely changed

variable "darwin_url" {
  description = "Where Darwin's API answers."
  type        = string
  default     = "https://darwin.v7labs.com"
  nullable    = false

  validation {
    condition     = can(regex("^https?://[^/?#\\s]+$", var.darwin_url))
    error_message = "darwin_url must be an address without a path, as \"https://darwin.v7labs.com\"."
  }
}

variable "items_per_request" {
  description = "How many items one request to Darwin may carry."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.items_per_request >= 1 && var.items_per_request <= 500 && floor(var.items_per_request) == var.items_per_request
    error_message = "items_per_request must be a whole number from 1 to 500."
  }
}

variable "requests_per_minute" {
  description = "How many requests a minute one instance of register may send to Darwin. Two instances run."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.requests_per_minute >= 1 && var.requests_per_minute <= 1000
    error_message = "requests_per_minute must be a number from 1 to 1000."
  }
}

variable "extract_memory" {
  description = "Mebibytes for the function that extracts read-only videos. Processors come with memory: 16384 brings four. A video must fit in, for files lie in memory."
  type        = number
  default     = 16384
  nullable    = false

  validation {
    condition     = var.extract_memory >= 4096 && var.extract_memory <= 32768 && floor(var.extract_memory) == var.extract_memory
    error_message = "extract_memory must be a whole number from 4096, which brings two processors, to 32768."
  }
}

variable "extract_concurrency" {
  description = "How many read-only videos, or parts of long ones, are extracted at a time."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.extract_concurrency >= 1 && var.extract_concurrency <= 1000 && floor(var.extract_concurrency) == var.extract_concurrency
    error_message = "extract_concurrency must be a whole number from 1 to 1000."
  }
}

# Who is told when something stands still

variable "alarm_email" {
  description = "An address that the alarms tell. Empty for none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(|[^@\\s]+@[^@\\s]+)$", var.alarm_email))
    error_message = "alarm_email must be empty or an e-mail address."
  }
}

variable "notification_channels" {
  description = "Channels of your own in Cloud Monitoring that the alarms tell as well: PagerDuty, Slack, Pub/Sub."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for channel in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[0-9]+$", channel))])
    error_message = "notification_channels must name channels, as \"projects/acme/notificationChannels/1234567890\"."
  }
}
