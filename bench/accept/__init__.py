"""Durable accept: signed webhooks over HTTP to posts that are kept."""
