# The same words as infra/aws, where they mean the same.

variable "name" {
  description = "What this deployment is called: the start of its resources' names, and the name of its metrics."
  type        = string
  default     = "beagle"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 24 lower-case letters, digits and hyphens, as \"beagle-cars\"."
  }
}

variable "location" {
  description = "The region of the storage account that is watched: Event Grid announces from there, and the functions run there."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+[a-z0-9]*$", var.location))
    error_message = "location must be a region of Azure, as \"westeurope\"."
  }
}

variable "resource_group_name" {
  description = "A resource group that exists, for everything that Beagle needs. Left out, the module creates one, called as the deployment."
  type        = string
  default     = null

  validation {
    condition     = var.resource_group_name == null || can(regex("^[\\w.()-]{0,89}[\\w()-]$", var.resource_group_name))
    error_message = "resource_group_name must be the name of a resource group, as \"acme-data\"."
  }
}

# What is deployed

variable "packages" {
  description = "The folder that `make build PROVIDER=azure` has filled: \".build\" in the checkout."
  type        = string
  nullable    = false

  validation {
    condition = alltrue([
      for function in ["prepare", "extract", "register"] : fileexists("${var.packages}/functions/azure/${function}.zip")
    ])
    error_message = "packages must be the folder with the functions' zip files: run \"make build PROVIDER=azure\", then name \".build\"."
  }
}

# What to watch

variable "bucket_name" {
  description = "The container to watch."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9](-?[a-z0-9]){2,62}$", var.bucket_name))
    error_message = "bucket_name must be the name of a container, as \"uploads\"."
  }
}

variable "account_id" {
  description = "The storage account that holds the container; it must be in the provider's subscription. Nothing of it is managed: it gets grants for the functions, and announces to Beagle through Event Grid. Left out with create_bucket."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Storage/storageAccounts/[a-z0-9]{3,24}$", var.account_id))
    error_message = "account_id must be the resource ID of a storage account, as `az storage account show --query id` prints it."
  }
}

variable "create_bucket" {
  description = "Whether this module creates the container, in a storage account of its own, or both exist already."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.create_bucket == (var.account_id == null)
    error_message = "Name the storage account that holds the container (account_id), or have both created (create_bucket = true)."
  }
}

# An object, because Terraform must know when it plans whether there is a topic, and cannot know the ID of one that the
# same run creates.
variable "system_topic" {
  description = "Event Grid's system topic of the storage account, if it has one already, as an account has only one. It needs a system-assigned identity. Left out, the module creates one."
  type        = object({ id = string })
  default     = null

  validation {
    condition     = var.system_topic == null || can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.EventGrid/systemTopics/[^/]+$", var.system_topic.id))
    error_message = "system_topic.id must be the resource ID of a system topic of Event Grid."
  }

  validation {
    condition     = var.system_topic == null || !var.create_bucket
    error_message = "A storage account that this module creates has no system_topic yet."
  }
}

variable "prefix" {
  description = "Only objects below this prefix become items. Empty for the whole container."
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
  description = "What says which objects become items of which dataset: the variables above, or the routes file that the functions were built with (make build PROVIDER=azure ROUTES=routes.yaml). Functions that were built otherwise refuse to start."
  type        = string
  default     = "parameters"
  nullable    = false

  validation {
    condition     = contains(["parameters", "file"], var.routes)
    error_message = "routes must be \"parameters\" or \"file\"."
  }

  validation {
    condition     = try(trimspace(file("${var.packages}/functions/azure/routes")), var.routes) == var.routes
    error_message = "The packages were built with other routes: run \"make build PROVIDER=azure ROUTES=routes.yaml\" for routes = \"file\", \"make build PROVIDER=azure\" for \"parameters\"."
  }
}

# An object, because Terraform must know when it plans whether there is a secret, and cannot know the ID of one that the
# same run creates.
variable "api_key_secret" {
  description = "The secret that holds Darwin's API key and nothing else, in a key vault that asks Azure RBAC. Left out, the module creates a vault, into which you put the secret after the deployment."
  type        = object({ id = string })
  default     = null

  validation {
    condition     = var.api_key_secret == null || can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.KeyVault/vaults/[A-Za-z0-9-]{3,24}/secrets/[A-Za-z0-9-]{1,127}$", var.api_key_secret.id))
    error_message = "api_key_secret.id must be the resource ID of a secret, as \"/subscriptions/…/vaults/acme/secrets/darwin\", not its address."
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
  description = "How many requests a minute one instance of register may send to Darwin. Two instances run, or as many as register_concurrency says."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.requests_per_minute >= 1 && var.requests_per_minute <= 1000
    error_message = "requests_per_minute must be a number from 1 to 1000."
  }
}

variable "register_concurrency" {
  description = "How many instances of register run at most. Where Flex Consumption refuses fewer than 40, say 40, and requests_per_minute = 2: each instance may send as many."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.register_concurrency >= 1 && var.register_concurrency <= 1000 && floor(var.register_concurrency) == var.register_concurrency
    error_message = "register_concurrency must be a whole number from 1 to 1000."
  }
}

variable "extract_memory" {
  description = "Megabytes for the function that extracts read-only videos. Processors come with memory: 4096 brings two."
  type        = number
  default     = 4096
  nullable    = false

  validation {
    condition     = contains([2048, 4096], var.extract_memory)
    error_message = "extract_memory must be 2048, which is one processor, or 4096."
  }
}

variable "extract_concurrency" {
  description = "How many read-only videos, or parts of long ones, are extracted at a time. Flex Consumption may refuse fewer than 40."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.extract_concurrency >= 1 && var.extract_concurrency <= 1000 && floor(var.extract_concurrency) == var.extract_concurrency
    error_message = "extract_concurrency must be a whole number from 1 to 1000."
  }
}

variable "replication" {
  description = "How the storage accounts that this module creates keep their data: across zones (ZRS), or in one place where the region has no zones (LRS)."
  type        = string
  default     = "ZRS"
  nullable    = false

  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "GZRS"], var.replication)
    error_message = "replication must be \"ZRS\", \"LRS\", \"GRS\" or \"GZRS\"."
  }
}

# Who operates it, and who is told when something stands still

variable "operators" {
  description = "Object IDs of the people and groups who may put the API key in, and read and replay dead letters: on Azure not even an owner may, unless told so. Left out, it is who runs Terraform."
  type        = set(string)
  default     = null

  validation {
    condition     = alltrue([for one in coalesce(var.operators, []) : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", one))])
    error_message = "operators must be object IDs, as `az ad signed-in-user show --query id` prints one."
  }
}

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

variable "action_groups" {
  description = "Action groups of your own in Azure Monitor that the alarms tell as well: PagerDuty, Teams, an app."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for group in var.action_groups : can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[Mm]icrosoft.[Ii]nsights/actionGroups/[^/]+$", group))])
    error_message = "action_groups must be resource IDs of action groups."
  }
}

variable "log_retention_days" {
  description = "For how many days the functions' logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.log_retention_days >= 30 && var.log_retention_days <= 730 && floor(var.log_retention_days) == var.log_retention_days
    error_message = "log_retention_days must be a whole number from 30 to 730, as Log Analytics asks."
  }
}
