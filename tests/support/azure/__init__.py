"""Azure on this machine: Azurite, the Functions host, Event Grid and Key Vault."""
