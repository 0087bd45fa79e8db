from pathlib import Path

import pytest

from ascolto.posts.v1 import post_pb2 as posts
from services.routing.decisions import text_of
from services.routing.venues import Venue, venue_named
from tests.factories import make_post_received

CONNECTORS = Path(__file__).parents[3] / "services" / "ingest" / "connectors"
ANYWHERE = {"cloudevents", "mention_com", "rss_atom", "standard_webhooks", "talkwalker"}
"""Networks that carry what was said in any sort of place."""


def test_every_network_that_we_hear_has_a_venue_or_carries_all_of_them() -> None:
    networks = {path.stem for path in CONNECTORS.glob("[a-z]*.py")}

    assert {name for name in networks if venue_named(name) is None} == ANYWHERE


@pytest.mark.parametrize(
    ("kind", "network", "venue"),
    [
        (posts.KIND_PUBLIC_POST, "x", Venue.MICROBLOG),
        (posts.KIND_DIRECT_MESSAGE, "x", Venue.CHAT),
        (posts.KIND_PUBLIC_COMMENT, "instagram", Venue.COMMENT),
        (posts.KIND_REVIEW, "standard_webhooks", Venue.REVIEW),
        (posts.KIND_EMAIL, "email", Venue.MAIL),
        (posts.KIND_PUBLIC_POST, "reddit", Venue.FORUM),
        (posts.KIND_PUBLIC_POST, "rss_atom", None),
        (posts.KIND_UNSPECIFIED, "whatsapp", Venue.CHAT),
    ],
)
def test_the_kind_of_a_post_tells_its_venue_before_its_network_does(
    kind: posts.Kind, network: str, venue: Venue | None
) -> None:
    assert text_of(make_post_received(kind=kind, network=network).post).venue is venue
