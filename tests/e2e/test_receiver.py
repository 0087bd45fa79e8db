"""The receiver of answers misbehaves: each answer still arrives exactly once, and nothing unapproved does."""

import time

import pytest

from tests.e2e.receiver import Behaviour
from tests.e2e.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(600)]

REFUSING_SECONDS = 3.0
TIMES = 3


def test_answers_arrive_once_at_a_receiver_that_hangs_cuts_fails_and_refuses(system: System) -> None:
    for behaviour in Behaviour:
        system.receiver.misbehave(behaviour, TIMES)
    with system.under_load(seed=51) as load:
        time.sleep(REFUSING_SECONDS)
        system.receiver.close()
        time.sleep(REFUSING_SECONDS)
        system.receiver.open()
        time.sleep(REFUSING_SECONDS)
    assert system.audit(load) == {}
    assert system.receiver.still_to_misbehave == 0
