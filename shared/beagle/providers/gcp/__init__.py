"""Google Cloud Storage, Pub/Sub and Secret Manager."""
