"""The web chat over HTTP, as a browser without scripts sees it."""
