"""Whatever is sent to a connector: it answers, it does not raise, and what it answers can be kept or refused.

ASCOLTO_FUZZ sets how many garbled payloads each network gets: `make test-fuzz` gives 100,000.
"""

import json
import os
import random
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.integrations import Integration
from services.ingest.connector import Ignored
from services.ingest.connectors import connectors
from services.ingest.normalizer import Normalizer
from tests.contract.connectors.real_payloads import payloads_of
from tests.unit.ingest.connectors.mutations import garbled
from tests.unit.ingest.connectors.specimen import Specimen
from tests.unit.ingest.connectors.test_conformance import SPECIMENS, payload

INPUTS: Final = int(os.environ.get("ASCOLTO_FUZZ", "1000"))
SEED: Final = 20261122
NORMALIZER: Final = Normalizer(Integration(id="trial", tenant="trial", kind="import"), b"k" * 32)
RECEIVED_AT: Final = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
every_network = pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)
some_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def check(specimen: Specimen, content: bytes) -> None:
    found = connectors()[specimen.network].normalize(content, specimen.account)
    assert found
    for outcome in found:
        if not isinstance(outcome, Ignored):
            NORMALIZER.normalize(outcome, received_at=RECEIVED_AT)


def payloads_like(specimen: Specimen) -> list[bytes]:
    """Ours, and the real ones where they are on this machine."""
    ours = [
        specimen.created("Why <b>5 &lt; 6</b>?"),
        specimen.own,
        specimen.deleted,
        specimen.media_only,
        specimen.minimal,
    ]
    ours += [specimen.edited("Why not?")] if specimen.edited else []
    return [payload(each) for each in ours if each is not None] + [
        each.read_bytes() for each in payloads_of(specimen.network)
    ]


@every_network
@pytest.mark.timeout(3600)
def test_garbled_payloads_harm_nothing(specimen: Specimen) -> None:
    chance = random.Random(f"{SEED} {specimen.network}")
    payloads = payloads_like(specimen)
    for number in range(INPUTS):
        content = garbled(payloads, chance)
        try:
            check(specimen, content)
        except Exception as error:
            error.add_note(f"input {number}: {content!r}")
            raise


@every_network
@settings(max_examples=50)
@given(content=st.binary(max_size=200))
def test_any_bytes_harm_nothing(specimen: Specimen, content: bytes) -> None:
    check(specimen, content)


@every_network
@settings(max_examples=50)
@given(content=some_json)
def test_any_json_harms_nothing(specimen: Specimen, content: Any) -> None:
    check(specimen, json.dumps(content).encode())
