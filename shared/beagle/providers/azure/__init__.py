"""Azure Blob Storage, Event Grid, Storage Queues and Key Vault. What we call a bucket is a container here."""

LONGEST_WAIT_HOURS = 45
"""Hours for which an object may wait for its group: 300 deliveries, ten minutes apart, last for 49.8."""
