"""How long an answer may be on each network, in characters."""

from typing import Final

DEFAULT_LIMIT: Final = 1_000
"""For a network that is not listed: what all but the shortest take."""

_LIMITS: Final = {
    "x": 280,
    "bluesky": 300,
    "google_play": 350,
    "mastodon": 500,
    "threads": 500,
    "linkedin": 1_250,
    "instagram": 1_000,
    "messenger": 2_000,
    "discord": 2_000,
    "telegram": 4_096,
    "whatsapp": 4_096,
    "web_chat": 4_000,
    "google_business": 4_096,
    "app_store": 5_970,
    "facebook_page": 8_000,
    "youtube": 10_000,
    "reddit": 10_000,
    "email": 20_000,
}


def limit_of(network: str) -> int:
    """The longest answer that `network` takes."""
    return _LIMITS.get(network, DEFAULT_LIMIT)
