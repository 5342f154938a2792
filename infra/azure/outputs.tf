# `beagle letters --terraform` and its siblings read them.

output "provider" {
  description = "Which provider this deployment is on, for the command line."
  value       = "azure"
}

output "source_account" {
  description = "The storage account that holds the container."
  value       = local.source_account.name
}

output "source_bucket" {
  description = "The container that is watched."
  value       = var.bucket_name
}

output "state_account" {
  description = "The storage account of the state and the queues."
  value       = azurerm_storage_account.kept["state"].name
}

output "state_bucket" {
  description = "The container in which Beagle remembers what it registered."
  value       = azurerm_storage_container.kept["state"].name
}

output "queues_url" {
  description = "Where the queues are."
  value       = local.queues_url
}

output "uploads_queue" {
  description = "The queue of what landed in the container; replayed messages go there."
  value       = azurerm_storage_queue.work["uploads"].name
}

output "items_queue" {
  description = "The queue of items that wait for Darwin."
  value       = azurerm_storage_queue.work["items"].name
}

output "videos_queue" {
  description = "The queue of read-only videos that wait for their artifacts; null with read-write access."
  value       = one([for name, queue in azurerm_storage_queue.work : queue.name if name == "videos"])
}

output "dead_letters_queue" {
  description = "The queue of what could not be registered, each with its reason."
  value       = azurerm_storage_queue.dead["dead-letters"].name
}

output "working_queues" {
  description = "The queues that functions work on; what the host gives up lies in another of the same name and \"-poison\"."
  value       = [for name in ["uploads", "items", "videos"] : azurerm_storage_queue.work[name].name if contains(keys(local.queues), name)]
}

output "prepare_function" {
  description = "The function app that turns uploads into items."
  value       = azurerm_function_app_flex_consumption.stage["prepare"].name
}

output "extract_function" {
  description = "The function app that makes the artifacts of read-only videos; null with read-write access."
  value       = one([for name, function in azurerm_function_app_flex_consumption.stage : function.name if name == "extract"])
}

output "register_function" {
  description = "The function app that registers items with Darwin."
  value       = azurerm_function_app_flex_consumption.stage["register"].name
}

output "resource_group" {
  description = "The resource group that holds all of it."
  value       = local.group
}

output "dashboard_name" {
  description = "The workbook in Azure Monitor that shows what became of the objects, and what comes again."
  value       = azurerm_application_insights_workbook.dashboard.display_name
}

output "api_key_secret" {
  description = "The secret that holds Darwin's API key; fill it in if this module created the vault."
  value       = local.api_key_secret.url
}
