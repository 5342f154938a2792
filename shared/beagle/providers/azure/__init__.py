"""Azure Blob Storage, Event Grid, Storage Queues and Key Vault. What we call a bucket is a container here."""
