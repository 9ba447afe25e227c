"""Slack, over the wire: signed requests through the real bolt, Slack played from outside."""
