"""The maturity pulse."""
