"""What every connector must do, whatever its network: the same questions to each of them."""

import importlib
import json
import pkgutil
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from contracts.integrations import Integration
from services.ingest.connector import Ignored, Reason
from services.ingest.connectors import connectors
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import MAX_TEXT_CODE_POINTS, RawPost
from services.ingest.text import clean
from tests.unit.ingest.connectors import specimens
from tests.unit.ingest.connectors.mutations import truncated, with_wrong_types
from tests.unit.ingest.connectors.specimen import Specimen

SPECIMENS: Final[dict[str, Specimen]] = {
    each.name: importlib.import_module(f"{specimens.__name__}.{each.name}").SPECIMEN
    for each in pkgutil.iter_modules(specimens.__path__)
}
NORMALIZER: Final = Normalizer(Integration(id="trial", tenant="trial", kind="import"), b"k" * 32)
RECEIVED_AT: Final = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TEXTS: Final = {
    "plain": "Where is my parcel?",
    "emoji": "Grazie 👩‍👩‍👧‍👦 mille 🇮🇹 !",
    "right to left": "أين طلبي رقم 42؟ שלום",
    "combining": "perche\u0301 no? ⚠️ Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞",
    "lines": "One line.\n\nAnother line.",
    "markup": "5 < 6 & 7 > 3 \"quoted\" 'so'",
}
every_network = pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)


def payload(content: Any) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def outcomes(specimen: Specimen, content: Any) -> list[RawPost | Ignored]:
    return connectors()[specimen.network].normalize(payload(content), specimen.account)


def the_post(specimen: Specimen, content: Any) -> RawPost:
    posts = [each for each in outcomes(specimen, content) if isinstance(each, RawPost)]
    assert len(posts) == 1, outcomes(specimen, content)
    return posts[0]


def accepted(raw: RawPost) -> Accepted:
    result = NORMALIZER.normalize(raw, received_at=RECEIVED_AT)
    assert isinstance(result, Accepted), result
    return result


def without(specimen: Specimen, name: str) -> Any:
    content = getattr(specimen, name)
    if content is None:
        pytest.skip(f"{specimen.network} has nothing for `{name}`")
    return content


def test_every_connector_has_a_specimen() -> None:
    assert {each.network for each in SPECIMENS.values()} == set(connectors())


@every_network
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_text_is_what_the_person_wrote(specimen: Specimen, text: str) -> None:
    raw = the_post(specimen, specimen.created(text))
    shown = accepted(raw).event.message.post.utterance.text
    if specimen.keeps_markup:
        assert clean(text).split("\n")[0] in shown
    else:
        assert shown == clean(text)


@every_network
def test_a_redelivery_is_recognised(specimen: Specimen) -> None:
    first, second = (accepted(the_post(specimen, specimen.created("Why?"))) for _ in range(2))
    assert first.event.metadata.event_id == second.event.metadata.event_id
    assert first.event.message == second.event.message


@every_network
def test_an_edit_is_a_later_revision_of_the_same_post(specimen: Specimen) -> None:
    edit = the_post(specimen, without(specimen, "edited")("Why not?"))
    created = the_post(specimen, specimen.created("Why?"))
    assert (edit.change, (edit.revision or 1) > 1) == ("edited", True)
    assert accepted(edit).post_id == accepted(created).post_id
    assert accepted(edit).event.metadata.event_id != accepted(created).event.metadata.event_id
    assert accepted(edit).event.message.post.utterance.text.startswith("Why not?")


@every_network
def test_a_deletion_names_the_post_and_says_nothing_else(specimen: Specimen) -> None:
    deleted = the_post(specimen, without(specimen, "deleted"))
    assert (deleted.change, deleted.text, deleted.media) == ("deleted", None, ())
    assert accepted(deleted).post_id == accepted(the_post(specimen, specimen.created("Why?"))).post_id


@every_network
def test_what_the_account_wrote_itself_is_its_own(specimen: Specimen) -> None:
    assert the_post(specimen, without(specimen, "own")).own
    assert not the_post(specimen, specimen.created("Why?")).own


@every_network
def test_media_alone_are_a_post(specimen: Specimen) -> None:
    raw = the_post(specimen, without(specimen, "media_only"))
    assert not raw.text
    assert raw.media
    accepted(raw)


@every_network
def test_what_is_not_said_is_absent(specimen: Specimen) -> None:
    raw = the_post(specimen, specimen.minimal)
    said = payload(specimen.minimal).decode(errors="replace")
    assert raw.language is None or raw.language in said
    assert raw.author is None or raw.author.id in said
    assert (raw.rating, raw.followers, raw.views) == (None, None, None) or any(mark.isdigit() for mark in said)


@every_network
def test_a_huge_text_is_cut_and_kept(specimen: Specimen) -> None:
    raw = the_post(specimen, specimen.created("Ù" * 1_000_000))
    assert 1 <= len(raw.text or "") <= MAX_TEXT_CODE_POINTS
    accepted(raw)


@every_network
def test_a_payload_that_breaks_off_harms_nothing(specimen: Specimen) -> None:
    for part in truncated(payload(specimen.created("Why?"))):
        assert outcomes(specimen, part)


@every_network
def test_wrong_types_harm_nothing(specimen: Specimen) -> None:
    content = specimen.created("Why?")
    if isinstance(content, bytes):
        pytest.skip(f"{specimen.network} sends no JSON")
    for changed in with_wrong_types(content):
        for outcome in outcomes(specimen, changed):
            if isinstance(outcome, RawPost):
                NORMALIZER.normalize(outcome, received_at=RECEIVED_AT)


@every_network
@pytest.mark.parametrize("content", [b"", b" ", b"null", b"[]", b"{}", b'"x"', b"1", b"\x00\xff", b"[" * 100_000])
def test_what_is_no_payload_is_told_and_ignored(specimen: Specimen, content: bytes) -> None:
    found = outcomes(specimen, content)
    assert found
    assert all(isinstance(each, Ignored) and isinstance(each.reason, Reason) for each in found)
