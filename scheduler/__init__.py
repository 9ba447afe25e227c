"""Time: what falls due, and delivery of what waits."""
