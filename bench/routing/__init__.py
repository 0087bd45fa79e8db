"""Routing: consume, decode, classify, encode, produce keyed, commit after the acknowledgements."""
