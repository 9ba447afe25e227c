"""Slack, played from outside."""
