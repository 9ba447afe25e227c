"""What people can do, said without any chat platform."""
