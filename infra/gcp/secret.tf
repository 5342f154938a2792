# Darwin's API key. Its value is put in after the deployment, so that it is neither here nor in Terraform's state.

resource "google_secret_manager_secret" "darwin" {
  for_each = toset(var.api_key_secret == null ? ["api_key"] : [])

  secret_id = "${var.name}-api-key"

  replication {
    auto {}
  }

  depends_on = [google_project_service.needed]
}

locals {
  api_key_secret_id = one(concat(
    [for secret in google_secret_manager_secret.darwin : secret.id],
    var.api_key_secret[*].id,
  ))
}
