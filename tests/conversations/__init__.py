"""Stories in the domain's words, each told on every channel from the same text."""
