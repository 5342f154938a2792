# Darwin's API key. Its value is put in after the deployment, so that it is neither here nor in Terraform's state.

resource "aws_secretsmanager_secret" "darwin" {
  for_each = toset(var.api_key_secret == null ? ["api_key"] : [])

  name_prefix = "${var.name}-api-key-"
  description = "Darwin's API key with the permission to add data to datasets. Put the bare key in as the value."
  kms_key_id  = local.own_key
}

locals {
  api_key_secret_arn = one(concat(
    [for secret in aws_secretsmanager_secret.darwin : secret.arn],
    var.api_key_secret[*].arn,
  ))
}
