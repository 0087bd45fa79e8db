"""The `ascolto` command."""
