# The same words as the parameters of template.yaml, in the same groups.

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

# What is deployed

variable "packages" {
  description = "The folder that `make build` has filled: \".build\" in the checkout."
  type        = string
  nullable    = false

  validation {
    condition = alltrue([
      for archive in ["functions/aws/prepare", "functions/aws/extract", "functions/aws/register", "layers/ffmpeg"] :
      fileexists("${var.packages}/${archive}.zip")
    ])
    error_message = "packages must be the folder with the functions' zip files: run \"make build\", then name \".build\"."
  }
}

variable "architecture" {
  description = "The functions' processors; what was built must be for them (make build, or make build MACHINE=x86_64)."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be \"arm64\" or \"x86_64\"."
  }

  validation {
    condition     = try(trimspace(file("${var.packages}/architecture")), var.architecture) == var.architecture
    error_message = "The packages are for another architecture: run \"make build MACHINE=${var.architecture}\"."
  }
}

# What to watch

variable "bucket_name" {
  description = "The bucket to watch. One that exists needs Amazon EventBridge notifications switched on in its properties."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be the name of an S3 bucket, as \"acme-uploads\"."
  }
}

variable "create_bucket" {
  description = "Whether this module creates the bucket, or it exists already. Nothing of an existing bucket is changed."
  type        = bool
  default     = false
  nullable    = false
}

variable "prefix" {
  description = "Only objects below this prefix become items. Empty for the whole bucket."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(|[^*?$]*[^*?$/]/)$", var.prefix))
    error_message = "prefix must be empty or end with a single \"/\", or \"cars\" would also match \"cars-backup/\"; and hold none of * ? $, which mean more than themselves in permissions."
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
  description = "What says which objects become items of which dataset: the variables above, or the routes file that the functions were built with (make build ROUTES=routes.yaml). Functions that were built otherwise refuse to start."
  type        = string
  default     = "parameters"
  nullable    = false

  validation {
    condition     = contains(["parameters", "file"], var.routes)
    error_message = "routes must be \"parameters\" or \"file\"."
  }

  validation {
    condition     = try(trimspace(file("${var.packages}/functions/aws/routes")), var.routes) == var.routes
    error_message = "The packages were built with other routes: run \"make build ROUTES=routes.yaml\" for routes = \"file\", \"make build\" for \"parameters\"."
  }
}

# An object, because Terraform must know when it plans whether there is a secret, and cannot know the ARN of one
# that the same run creates.
variable "api_key_secret" {
  description = "The secret that holds Darwin's API key and nothing else. Left out, the module creates one, whose value you put in after the deployment."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.api_key_secret == null || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.api_key_secret.arn))
    error_message = "api_key_secret.arn must be the full ARN of a secret in AWS Secrets Manager."
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

variable "prepare_concurrency" {
  description = "How many batches of uploads are prepared at a time. With extract_concurrency and two of register it must fit into the account's limit of concurrent executions, which is 1000, and about 10 in new accounts."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.prepare_concurrency >= 2 && var.prepare_concurrency <= 1000 && floor(var.prepare_concurrency) == var.prepare_concurrency
    error_message = "prepare_concurrency must be a whole number from 2, the least that Lambda allows, to 1000."
  }
}

variable "extract_memory" {
  description = "Megabytes for the function that extracts read-only videos. Processors come with memory: 7076 brings four. New accounts are limited to 3008."
  type        = number
  default     = 7076
  nullable    = false

  validation {
    condition     = var.extract_memory >= 1769 && var.extract_memory <= 10240 && floor(var.extract_memory) == var.extract_memory
    error_message = "extract_memory must be a whole number from 1769, which is one processor, to 10240."
  }
}

variable "extract_concurrency" {
  description = "How many read-only videos, or parts of long ones, are extracted at a time."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.extract_concurrency >= 2 && var.extract_concurrency <= 1000 && floor(var.extract_concurrency) == var.extract_concurrency
    error_message = "extract_concurrency must be a whole number from 2, the least that Lambda allows, to 1000."
  }
}

# Who is told when something stands still

variable "alarm_email" {
  description = "An address that the alarms tell, once its owner has followed the link in the first mail. Without it, and without alarm_topic_arn, nobody is told, and dead letters are gone after 14 days."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(|[^@\\s]+@[^@\\s]+)$", var.alarm_email))
    error_message = "alarm_email must be empty or an e-mail address."
  }
}

variable "alarm_topic_arn" {
  description = "An SNS topic of your own that the alarms tell, instead of one for the address. Empty for none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(|arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:.+)$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be empty or the ARN of an SNS topic."
  }

  validation {
    condition     = var.alarm_topic_arn == "" || var.alarm_email == ""
    error_message = "Give alarm_topic_arn or alarm_email: a topic of your own has its own subscriptions."
  }
}

variable "log_retention_days" {
  description = "For how many days the functions' logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731, 1827, 3653], var.log_retention_days)
    error_message = "log_retention_days must be 1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731, 1827 or 3653, as CloudWatch asks."
  }
}

variable "tracing" {
  description = "Whether AWS X-Ray traces the functions. It makes cold starts slower."
  type        = bool
  default     = false
  nullable    = false
}

# What the account asks for

variable "bucket_kms_key_arn" {
  description = "The KMS key that encrypts the watched bucket, if one does. Only read-only access reads the bucket."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(|arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+)$", var.bucket_kms_key_arn))
    error_message = "bucket_kms_key_arn must be empty or the ARN of a key in AWS KMS."
  }
}

variable "kms_key_arn" {
  description = "Your own KMS key for Beagle's queues, state, secret, logs and alarms; infra/README.md says what its policy must allow. Empty for the keys of AWS."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(|arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+)$", var.kms_key_arn))
    error_message = "kms_key_arn must be empty or the ARN of a key in AWS KMS."
  }
}

variable "permissions_boundary_arn" {
  description = "A policy that bounds every role, where the account asks for one. Empty for none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(|arn:[a-z-]+:iam::[0-9a-z]+:policy/.+)$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be empty or the ARN of an IAM policy."
  }
}
