"""What the services promise each other: topics, messages, identities and integrations."""
