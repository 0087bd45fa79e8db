"""One stack and one deployment for all end-to-end tests: they part the ledger by time, and each ends balanced."""

from collections.abc import Iterator

import pytest

from cli.deployment import running_deployment
from local.stack import running_stack
from tests.e2e.hooks import write_integrations
from tests.e2e.receiver import running_receiver
from tests.e2e.system import System

# The short end of what production may be told: a crash must be noticed within the time of a test.
QUICK = {
    "KAFKA_SESSION_TIMEOUT_MS": "6000",
    "KAFKA_HEARTBEAT_INTERVAL_MS": "1500",
    "KAFKA_DRAIN_TIMEOUT_SECONDS": "4",
    "DRAFTING_LEASE_SECONDS": "5",
    "DISPATCH_REQUEST_TIMEOUT_SECONDS": "2",
    "DISPATCH_LEASE_SECONDS": "5",
    "DISPATCH_LOOKUP_AFTER_SECONDS": "1",
    "DISPATCH_BACKOFF_SECONDS": "0.5",
    "WATCH_CHECKPOINT_SECONDS": "1",
    "COVERAGE_INTERVAL_SECONDS": "1",
}


@pytest.fixture(scope="package")
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    if request.config.getoption("--infra") == "containers":
        pytest.skip("this test controls the embedded servers: run it without --infra=containers")
    root = tmp_path_factory.mktemp("e2e")
    with running_receiver(root) as receiver, running_stack(root / "stack") as stack:
        environment = QUICK | {"INTEGRATIONS_FILE": str(write_integrations(root / "integrations.toml", receiver.url))}
        with running_deployment(root / "services", stack, environment=environment) as deployment:
            yield System(stack, deployment, receiver)
