"""Kafka or PostgreSQL goes away under load: senders get the honest answer, and nothing is lost or doubled."""

import time

import pytest

from cli.project import SERVICES
from local.server import Server
from tests.e2e.system import FULL_SIZE, System

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(600)]

KAFKA_SECONDS = 30.0 if FULL_SIZE else 8.0
POSTGRES_SECONDS = 10.0 if FULL_SIZE else 5.0
AROUND_SECONDS = 2.0


def outage(server: Server, seconds: float) -> tuple[float, float]:
    """Take a server away, with some load before and after; answer from when until when it was gone for sure."""
    time.sleep(AROUND_SECONDS)
    server.stop()
    gone_at = time.monotonic()
    time.sleep(seconds)
    back_at = time.monotonic()
    server.start()
    time.sleep(AROUND_SECONDS)
    return gone_at, back_at


def processes(system: System) -> dict[str, int]:
    return {name: system.deployment[name].pid for name in SERVICES}


def test_while_kafka_is_away_posts_are_taken_and_later_delivered(system: System) -> None:
    before = processes(system)
    with system.deployment.supervised(), system.under_load(seed=21) as load:
        gone_at, back_at = outage(system.stack.kafka, KAFKA_SECONDS)
    assert load.statuses(gone_at, back_at) == {200}
    assert system.audit(load) == {}
    assert processes(system) == before


def test_while_postgres_is_away_no_post_is_taken_and_senders_are_told_to_come_back(system: System) -> None:
    before = processes(system)
    with system.deployment.supervised(), system.under_load(seed=22) as load:
        gone_at, back_at = outage(system.stack.postgres, POSTGRES_SECONDS)
    assert load.statuses(gone_at, back_at) == {503}
    assert system.audit(load) == {}
    assert processes(system) == before
