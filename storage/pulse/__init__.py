"""The maturity pulse as it is kept: rounds, sealed answers, who takes part, and what was published."""
