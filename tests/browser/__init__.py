"""The web chat in Chromium, with scripts and without."""
