"""Consumers read the whole log again: what they took in before has no effect."""

import time

import pytest

from contracts.topics import FEEDBACK, RESPONDER, ROUTING
from tests.e2e.groups import reset_to_earliest
from tests.e2e.system import FULL_SIZE, System

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(600)]

CONSUMERS = (ROUTING, RESPONDER, FEEDBACK)
LOAD_SECONDS = 20.0 if FULL_SIZE else 4.0


def test_groups_reset_to_earliest_lose_and_double_nothing(system: System) -> None:
    with system.under_load(seed=32) as load:
        time.sleep(LOAD_SECONDS)
        for name in CONSUMERS:
            system.deployment[name].stop()
        reset_to_earliest(system.stack, CONSUMERS)
        for name in CONSUMERS:
            system.deployment[name].start()
        for name in CONSUMERS:
            system.deployment[name].wait_ready()
    assert system.audit(load) == {}
