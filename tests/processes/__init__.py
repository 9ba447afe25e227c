"""The bot in a process of its own, with Slack played from outside."""
