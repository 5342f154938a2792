# Beagle registers what lands in an S3 bucket as items of a V7 Darwin dataset.
#
# bucket --Object Created--> uploads --> prepare ----> items --> register --> Darwin
#                                        |   `-> videos --> extract -'   |      (read-only storage only)
#                                        `------------------`------------`--> dead letters
#
# The same system as template.yaml; tests/infra/test_parity.py compares the two.

locals {
  read_only = var.access == "read_only"
  day       = 24 * 60 * 60
  own_key   = var.kms_key_arn == "" ? null : var.kms_key_arn
}

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}
