"""What is kept; the only floor that writes SQL."""
