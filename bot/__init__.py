"""The outside world: channels, HTTP, command line and composition."""

VERSION = "0.1.0"
