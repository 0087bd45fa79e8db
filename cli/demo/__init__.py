"""The demo: a whole Ascolto on this machine, real conversations, and one complaint followed step by step."""
