"""The checker can fail: routing that acknowledges first loses posts when it is killed, and the ledger says so."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from chassis.kafka import committed_offsets
from cli.deployment import ServiceProcess
from contracts.topics import ROUTING
from tests.e2e.books import kafka_of, settled
from tests.e2e.groups import reset_to_earliest
from tests.e2e.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(600)]

WAIT_SECONDS = 60.0
POLL_SECONDS = 0.5


@contextmanager
def routing_replaced(system: System, module: str) -> Iterator[ServiceProcess]:
    """Run another module in the place of routing; at the end it is killed and routing is back."""
    routing = system.deployment[ROUTING]
    seeded = ServiceProcess(replace(routing.program, module=module), system.deployment.root)
    routing.stop()
    try:
        seeded.start()
        yield seeded
    finally:
        seeded.kill()
        routing.start()
        routing.wait_ready()


def wait_until_acknowledged(system: System, before: dict[tuple[str, int], int]) -> None:
    """Wait until the group has committed more than `before`."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while asyncio.run(committed_offsets(kafka_of(system.stack), ROUTING)) == before:
        assert time.monotonic() < give_up_at, "the seeded routing acknowledged nothing"
        time.sleep(POLL_SECONDS)


def test_acknowledging_first_loses_posts_and_the_ledger_reports_them(system: System) -> None:
    before = asyncio.run(committed_offsets(kafka_of(system.stack), ROUTING))
    with system.under_load(seed=61) as load, routing_replaced(system, "tests.e2e.seeded.ack_first_routing"):
        wait_until_acknowledged(system, before)
    _, ledger = settled(system.stack, load.started_at)
    assert ledger.lost > 0
    assert "lost" in system.audit(load)

    system.deployment[ROUTING].stop()
    reset_to_earliest(system.stack, [ROUTING])
    system.deployment[ROUTING].start()
    assert system.audit(load) == {}
