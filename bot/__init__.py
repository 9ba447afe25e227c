"""The outside world: channels, HTTP, command line and composition."""
