"""The read models are only that: dropped and folded again from the topics they are the same."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretStr

from chassis.postgres import Connection, PostgresSettings, connect
from contracts.topics import FEEDBACK, RESPONDER, ROUTING
from services.feedback.store.digest import digest as feedback_digest
from services.responder.digest import digest as responder_digest
from services.routing.store.digest import digest as routing_digest
from tests.e2e.system import FULL_SIZE, System

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(600)]

LOAD_SECONDS = 20.0 if FULL_SIZE else 4.0
REBUILD_SECONDS = 300.0
DIGESTS: dict[str, Callable[[Connection], Awaitable[str]]] = {
    FEEDBACK: feedback_digest,
    RESPONDER: responder_digest,
    ROUTING: routing_digest,
}
WANT_IT_ALONE = (FEEDBACK, RESPONDER)
"""Routing rebuilds what people look up beside its work; nothing that it sends on rests on that."""


def digests(system: System) -> dict[str, str]:
    return {service: asyncio.run(_digest(system, service)) for service in DIGESTS}


async def _digest(system: System, service: str) -> str:
    settings = PostgresSettings(dsn=SecretStr(system.stack.postgres_dsn))
    session = await connect(settings, schema=service, application_name="e2e")
    try:
        return await DIGESTS[service](session)
    finally:
        await session.close()


def rebuild(system: System, service: str) -> dict[str, object]:
    """Run the rebuild as an operator does, and answer what it printed."""
    process = subprocess.run(
        [sys.executable, "-m", f"services.{service}.rebuild"],
        env={**os.environ, **system.deployment[service].program.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=REBUILD_SECONDS,
    )
    assert process.returncode == 0, process.stderr[-2_000:]
    return dict(json.loads(process.stdout.splitlines()[-1]))


def test_dropped_and_replayed_read_models_have_the_same_digests(system: System) -> None:
    with system.under_load(seed=71) as load:
        time.sleep(LOAD_SECONDS)
    assert system.audit(load) == {}
    for service in DIGESTS:
        system.deployment[service].stop()
    before = digests(system)
    reports = {service: rebuild(system, service) for service in DIGESTS}
    after = digests(system)
    for service in DIGESTS:
        system.deployment[service].start()
        system.deployment[service].wait_ready()
    assert after == before
    assert {service: report["digest"] for service, report in reports.items()} == before
    assert system.audit(load) == {}


def test_a_rebuild_beside_a_running_service_is_refused(system: System) -> None:
    for service in WANT_IT_ALONE:
        with pytest.raises(AssertionError, match="running"):
            rebuild(system, service)
