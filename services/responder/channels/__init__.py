"""The ways back to people: how an approved text leaves, and how its fate is found out."""

from services.responder.channels.outcomes import Arrived, NotArrived, Outcome, Unknown

__all__ = ["Arrived", "NotArrived", "Outcome", "Unknown"]
