"""App manifests, generated from the command registry."""
