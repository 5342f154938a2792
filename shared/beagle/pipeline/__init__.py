"""The use cases, over ports: prepare, extract, register, replay."""
