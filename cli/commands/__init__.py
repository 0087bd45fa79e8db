"""One module per command of `ascolto`."""
