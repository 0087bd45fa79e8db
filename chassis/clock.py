"""Time as a value that is passed in, so that tests can say what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Answers the present moment as an aware datetime in UTC."""


def utc_now() -> datetime:
    """Tell the present moment by the machine's clock, in UTC."""
    return datetime.now(UTC)
