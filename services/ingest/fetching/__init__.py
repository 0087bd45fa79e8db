"""Fetching: what the networks do not deliver by themselves is polled, streamed or read from a mailbox."""
