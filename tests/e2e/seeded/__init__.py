"""Services with a fault on purpose: what the ledger must find."""
