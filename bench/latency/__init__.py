"""From an accepted post to its visible draft, through the whole deployment."""
