"""Kafka delivers at least once: a message that comes a second time has no effect."""

import time

import pytest

from tests.e2e.duplicator import duplicating
from tests.e2e.system import FULL_SIZE, System

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(600)]

LOAD_SECONDS = 20.0 if FULL_SIZE else 5.0


def test_every_message_delivered_twice_doubles_nothing(system: System) -> None:
    with duplicating(system.stack) as duplicates:
        with system.under_load(seed=31) as load:
            time.sleep(LOAD_SECONDS)
        wrong = system.audit(load)
    assert duplicates.written >= 2 * load.posts
    assert wrong == {}
