"""`ascolto ledger --json` tells what the ledger holds, and its exit code whether it balances."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.books import settled
from tests.e2e.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(300)]

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
NAMES = (
    *("accepted", "classified", "triaged", "projected", "drafted", "sent"),
    *("dead_lettered", "in_flight", "lost", "doubled"),
)


def test_the_command_reports_what_was_found_in_the_stores(system: System) -> None:
    with system.under_load(seed=81) as load:
        pass
    assert system.audit(load) == {}
    _, expected = settled(system.stack, ALWAYS)
    process = subprocess.run(
        [Path(sys.executable).with_name("ascolto"), "ledger", "--json", "--all-tenants"],
        env={**os.environ, **system.deployment.addresses()},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    reported = json.loads(process.stdout)
    assert {name: reported[name] for name in NAMES} == {name: asdict(expected)[name] for name in NAMES}
