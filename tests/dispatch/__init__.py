"""One interaction, one transaction, one answer."""
