"""Microsoft Teams: the way in, the way out, and what views look like there."""
