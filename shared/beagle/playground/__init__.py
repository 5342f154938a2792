"""The template on a local AWS: what `beagle demo`, `beagle up` and the end-to-end tests run on."""
