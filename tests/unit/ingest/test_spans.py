"""Places in a text: from the network's unit to code points, and from the text as sent to the text as kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.offsets import from_utf8, from_utf16
from services.ingest.rawpost import RawPost, RawSpan
from services.ingest.text import clean, place_in_clean
from services.ingest.utterance import utterance_of

TEXT = "Ciao 👩‍👩‍👧 @lumora, perché?"


@given(text=st.text(), data=st.data())
def test_offsets_of_any_text_come_back(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    utf16 = len(text[:at].encode("utf-16-le", "surrogatepass")) // 2
    utf8 = len(text[:at].encode("utf-8", "surrogatepass"))
    assert (from_utf16(text)(utf16), from_utf8(text)(utf8)) == (at, at)


@pytest.mark.parametrize("offset", [-5, 10**9])
def test_an_offset_outside_the_text_is_its_nearer_end(offset: int) -> None:
    assert from_utf16(TEXT)(offset) == (0 if offset < 0 else len(TEXT))


def test_an_offset_inside_a_character_is_its_end() -> None:
    assert from_utf16("👩a")(1) == 1
    assert from_utf8("é!")(1) == 1


@given(st.text(alphabet=" \n\r\u0301eé\x07ab", max_size=30), st.data())
def test_what_stands_before_a_place_stands_before_it_when_clean(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    place = place_in_clean(text, at)
    assert 0 <= place <= len(clean(text))
    assert place_in_clean(text, len(text)) == len(clean(text))


def test_spans_point_into_the_clean_text() -> None:
    sent = f"  \r\n{TEXT}  "
    start = sent.index("@lumora")
    raw = RawPost(
        network="x",
        kind="public_post",
        native_id="1",
        text=sent,
        spans=(
            RawSpan(kind="mention", start=start, end=start + 7, target="9000"),
            RawSpan(kind="link", start=0, end=2),
        ),
    )
    utterance = utterance_of(raw, "subject")
    assert [utterance.text[span.start : span.end] for span in utterance.spans] == ["@lumora"]
    assert utterance.spans[0].target == "9000"
