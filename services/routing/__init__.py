"""Routing: what a post is, and where it goes next."""
