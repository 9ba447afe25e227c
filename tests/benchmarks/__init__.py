"""Ratios against bare bots, side by side in one run: `make bench`. Loopback only, bounded in count and time."""

SECRET = "benchmark-signing-secret"
PATH = "/slack/events"
