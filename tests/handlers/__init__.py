"""What people can do, without any channel."""
