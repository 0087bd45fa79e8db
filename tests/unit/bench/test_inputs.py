"""What the contestants are fed with: the same in every run, and what a real sender or ingest would make."""

from datetime import UTC, datetime
from itertools import pairwise

from bench.deliveries import Hook, new_secret
from bench.routing.posts import POSTS_PER_CONVERSATION, posts
from bench.sayings import samples, saying
from chassis.messages import Record
from contracts.codec import decode
from services.ingest.hookbody import parse_hook
from services.ingest.verification import STANDARD_WEBHOOKS

COUNT = 100


def test_sayings_never_repeat_and_never_change() -> None:
    many = [saying(number) for number in range(3 * len(samples()))]
    assert len({said.text for said in many}) == len(many)
    assert many == [saying(number) for number in range(len(many))]


def test_posts_are_records_that_routing_takes() -> None:
    found = list(posts(COUNT))
    events = [decode(Record(each.topic, 0, 0, 0, each.key, each.value, each.headers)) for each in found]
    assert len({event.metadata.event_id for event in events}) == COUNT
    assert found == list(posts(COUNT))


def test_conversations_have_several_posts_that_do_not_stand_together() -> None:
    keys = [each.key for each in posts(COUNT)]
    assert len(set(keys)) == COUNT // POSTS_PER_CONVERSATION
    assert all(first != second for first, second in pairwise(keys))


def test_a_delivery_is_signed_and_well_formed() -> None:
    secret = new_secret(b"twenty bytes or more of it")
    head, _, body = Hook("localhost:80", "a-hook", secret).delivery("p-1", 1).partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert STANDARD_WEBHOOKS.verifier([secret]).accepts(headers, body, datetime.now(UTC))
    assert isinstance(parse_hook(body, "generic"), list)
