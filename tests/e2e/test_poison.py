"""Records that nobody can use stop nothing: each lies in its dead letters as it came, and everything else goes on."""

import asyncio

import pytest

from contracts.topics import TOPICS
from tests.e2e import poison
from tests.e2e.books import kafka_of
from tests.e2e.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(600)]


def test_poison_on_every_topic_is_dead_lettered_untouched_and_everything_else_goes_on(system: System) -> None:
    kafka = kafka_of(system.stack)
    poisons = [each for topic in TOPICS for each in poison.poison_for(topic)]
    with system.under_load(seed=41) as load:
        asyncio.run(poison.write(kafka, poisons))
    assert asyncio.run(poison.missing_dead_letters(kafka, poisons)) == []
    assert system.audit(load) == {}
