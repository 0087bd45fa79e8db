"""The ledger: every accepted post is in exactly one state, and nothing happened twice."""
