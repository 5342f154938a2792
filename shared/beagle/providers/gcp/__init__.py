"""Google Cloud Storage, Pub/Sub and Secret Manager."""

LONGEST_WAIT_HOURS = 14
"""Hours for which an object may wait for its group.

A hundred pushes last for 15.7 hours, and Pub/Sub keeps to its pauses more or less.
"""
