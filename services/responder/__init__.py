"""Responder: keeps the conversation, drafts the answer, holds it for a person, sends it once."""
