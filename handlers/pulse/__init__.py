"""The maturity pulse: what a wheel is, how answers are collated, and what of them may be published."""
