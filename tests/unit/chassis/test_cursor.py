"""Cursors open for the purpose and filter that they were sealed for, and for nothing else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.api_errors import ApiError
from chassis.cursor import CursorCodec, CursorSettings, binding_of

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
CODEC = CursorCodec([KEY])
BINDING = binding_of("acme", "complaints")


@given(st.text(max_size=20), st.binary(max_size=40), st.binary(max_size=200))
def test_what_was_sealed_opens(purpose: str, binding: bytes, payload: bytes) -> None:
    assert CODEC.open(purpose, binding, CODEC.seal(purpose, binding, payload)) == payload
    assert CODEC.open_page_token(purpose, binding, CODEC.seal_page_token(purpose, binding, payload)) == payload


@given(st.data())
def test_a_token_with_any_bit_changed_is_refused(data: st.DataObject) -> None:
    token = CODEC.seal("watch", BINDING, b"epoch 1, seq 42")
    position = data.draw(st.integers(0, len(token) * 8 - 1))
    changed = bytearray(token)
    changed[position // 8] ^= 1 << position % 8
    with pytest.raises(ApiError, match="CURSOR_INVALID"):
        CODEC.open("watch", BINDING, bytes(changed))


@pytest.mark.parametrize(
    ("purpose", "binding"),
    [("list", BINDING), ("watch", binding_of("other", "complaints")), ("watch", binding_of("acmecomplaints", ""))],
)
def test_a_token_of_another_purpose_or_filter_is_refused(purpose: str, binding: bytes) -> None:
    with pytest.raises(ApiError, match="CURSOR_INVALID"):
        CODEC.open(purpose, binding, CODEC.seal("watch", BINDING, b"42"))


@given(st.binary(max_size=80))
def test_bytes_of_anyone_are_refused(token: bytes) -> None:
    with pytest.raises(ApiError, match="CURSOR_INVALID"):
        CODEC.open("watch", BINDING, token)


@given(st.text(max_size=120))
def test_text_of_anyone_is_refused(token: str) -> None:
    with pytest.raises(ApiError, match="PAGE_TOKEN_INVALID"):
        CODEC.open_page_token("list", BINDING, token)


def test_an_older_key_still_opens_and_a_withdrawn_one_does_not() -> None:
    token = CursorCodec([OTHER_KEY]).seal("watch", BINDING, b"42")
    assert CursorCodec([KEY, OTHER_KEY]).open("watch", BINDING, token) == b"42"
    with pytest.raises(ApiError, match="start again without one"):
        CODEC.open("watch", BINDING, token)


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_bindings_differ_where_their_parts_do(one: list[str], other: list[str]) -> None:
    assert (binding_of(*one) == binding_of(*other)) == (one == other)


def test_settings_take_several_keys_and_name_a_weak_one(monkeypatch: pytest.MonkeyPatch) -> None:
    strong = [base64.b64encode(key).decode() for key in (KEY, OTHER_KEY)]
    monkeypatch.setenv("CURSOR_KEYS", ", ".join(strong))
    assert CursorSettings().key_bytes() == [KEY, OTHER_KEY]  # type: ignore[call-arg]
    monkeypatch.setenv("CURSOR_KEYS", "c2hvcnQ=")
    with pytest.raises(ValidationError, match="openssl rand -base64 32"):
        CursorSettings()  # type: ignore[call-arg]
