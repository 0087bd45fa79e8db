"""The checker can fail: a service that acknowledges first loses posts when it is killed, and the ledger says so."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from chassis.kafka import committed_offsets
from cli.deployment import ServiceProcess
from contracts.topics import CLASSIFIED, FEEDBACK, POSTS, ROUTING
from tests.e2e.books import kafka_of, settled
from tests.e2e.groups import reset_to_earliest
from tests.e2e.system import FULL_SIZE, System

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(600)]

WAIT_SECONDS = 60.0
POLL_SECONDS = 0.5


Offsets = dict[tuple[str, int], int]


@contextmanager
def replaced(system: System, service: str, module: str) -> Iterator[Offsets]:
    """Run another module in the place of a service; at the end it is killed and the service is back.

    Answers what the group had committed in between.
    """
    running = system.deployment[service]
    seeded = ServiceProcess(replace(running.program, module=module), system.deployment.root)
    running.stop()
    before = committed(system, service)
    try:
        seeded.start()
        yield before
    finally:
        seeded.kill()
        running.start()
        running.wait_ready()


def committed(system: System, group: str) -> Offsets:
    """What the group has passed of posts: of other records, such as facts of replies, the ledger knows nothing."""
    found = asyncio.run(committed_offsets(kafka_of(system.stack), group))
    of_posts = {topic.name for topic in (POSTS, *CLASSIFIED)}
    return {place: offset for place, offset in found.items() if place[0] in of_posts}


def wait_until_acknowledged(system: System, group: str, before: Offsets) -> None:
    """Wait until the group has committed more than `before`."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    # A group that joins commits its place in empty partitions as well: what counts is how many records it passed.
    while sum(committed(system, group).values()) <= sum(before.values()):
        assert time.monotonic() < give_up_at, f"the seeded {group} acknowledged nothing"
        time.sleep(POLL_SECONDS)


only_at_full_size = pytest.mark.skipif(
    not FULL_SIZE, reason="one service proves the checker; make test-faults has both"
)


@pytest.mark.parametrize(("service", "seed"), [(ROUTING, 61), pytest.param(FEEDBACK, 62, marks=only_at_full_size)])
def test_acknowledging_first_loses_posts_and_the_ledger_reports_them(system: System, service: str, seed: int) -> None:
    seeded = f"tests.e2e.seeded.ack_first_{service}"
    with system.under_load(seed) as load, replaced(system, service, seeded) as before:
        wait_until_acknowledged(system, service, before)
    _, ledger = settled(system.stack, load.started_at)
    audit = system.audit(load)
    read_again(system, service)
    assert ledger.lost > 0
    assert "lost" in audit
    assert system.audit(load) == {}


def read_again(system: System, service: str) -> None:
    """Mend the loss, or the tests that follow would find it."""
    system.deployment[service].stop()
    reset_to_earliest(system.stack, [service])
    system.deployment[service].start()
