"""A tenant's rules: what is to be done about a classified post, by whom and by when."""
