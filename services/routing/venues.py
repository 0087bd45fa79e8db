"""In what sort of place something is said: the same words are a verdict in a review and small talk in a chat."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


class Venue(enum.StrEnum):
    """A sort of place; what is customary to say differs between them."""

    MICROBLOG = "microblog"
    """Short public posts, on one's own page."""
    COMMENT = "comment"
    """Below what somebody else has published."""
    REVIEW = "review"
    CHAT = "chat"
    """Turns of a conversation, private or in a room."""
    MAIL = "mail"
    FORUM = "forum"


_NETWORKS: Final[Mapping[Venue, str]] = MappingProxyType(
    {
        Venue.MICROBLOG: "x twitter bluesky mastodon threads",
        Venue.COMMENT: "facebook facebook_page instagram linkedin tiktok wordpress youtube",
        Venue.REVIEW: "apple_app_store appstore google_business_profile google_play trustpilot",
        Venue.CHAT: "discord messenger slack telegram web_chat whatsapp",
        Venue.MAIL: "email",
        Venue.FORUM: "discourse reddit",
    }
)
_VENUES: Final[Mapping[str, Venue]] = MappingProxyType(
    {name: venue for venue, names in _NETWORKS.items() for name in [venue.value, *names.split()]}
)


def venue_named(network: str | None) -> Venue | None:
    """The sort of place that a network is, by its id or common name; None where it may be any (feeds, webhooks)."""
    return _VENUES.get(network) if network else None
