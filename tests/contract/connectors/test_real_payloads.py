"""What every connector makes of real payloads of its network."""

import json
from pathlib import Path

import pytest

from services.ingest.connectors import connectors
from tests.contract.connectors.real_payloads import EXPECTED, PAYLOADS, described, payloads_of

NETWORKS = sorted(connectors())
needs_payloads = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason=f"the real payloads are not on this machine ({PAYLOADS})"
)


def _cases() -> list[tuple[str, Path]]:
    return [(network, payload) for network in NETWORKS for payload in payloads_of(network)]


@needs_payloads
@pytest.mark.parametrize(
    ("network", "payload"), [pytest.param(*each, id=f"{each[0]}/{each[1].name}") for each in _cases()]
)
def test_a_real_payload_becomes_what_is_known_of_it(network: str, payload: Path) -> None:
    expected = json.loads((EXPECTED / f"{network}.json").read_text())
    assert described(payload, network) == expected[payload.name]


@needs_payloads
def test_every_folder_of_payloads_has_its_connector() -> None:
    of_no_network = {"handmade", "signatures"}
    folders = {each.name for each in PAYLOADS.iterdir() if each.is_dir()} - of_no_network
    assert folders <= set(connectors())
