"""Microsoft Teams: what views look like there, and Teams played from outside."""
