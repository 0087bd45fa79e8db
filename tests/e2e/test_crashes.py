"""Services die or are replaced under load, and nothing is lost or doubled."""

import random
import time

import pytest

from cli.project import SERVICES
from tests.e2e.system import FULL_SIZE, System

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(600)]

KILLS = 5 if FULL_SIZE else 1
LONGEST_PAUSE_SECONDS = 4.0 if FULL_SIZE else 2.0


@pytest.mark.parametrize("seed", [1, 2, 3] if FULL_SIZE else [1])
def test_a_kill_at_any_point_loses_and_doubles_nothing(system: System, seed: int) -> None:
    chance = random.Random(seed)
    victims = list(SERVICES) * KILLS
    chance.shuffle(victims)
    with system.under_load(seed) as load:
        for name in victims:
            time.sleep(chance.uniform(0.5, LONGEST_PAUSE_SECONDS))
            system.deployment[name].kill()
            system.deployment[name].start()
    for name in SERVICES:
        system.deployment[name].wait_ready()
    assert system.audit(load) == {}


def test_a_rolling_restart_loses_and_doubles_nothing(system: System) -> None:
    with system.under_load(seed=11) as load:
        for name in SERVICES:
            system.deployment[name].stop()
            system.deployment[name].start()
            system.deployment[name].wait_ready()
    assert system.audit(load) == {}
