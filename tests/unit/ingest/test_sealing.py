"""Secrets at rest: what opens them, and what does not."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sealing import Keyring, SealBroken, read_keys

OLD, NEW = b"o" * 32, b"n" * 32
PLACE = ("lumora", "lumora-x", "secret")


@given(secret=st.text())
def test_what_is_sealed_opens_in_its_place_and_shows_nothing(secret: str) -> None:
    sealed = Keyring([NEW]).seal(secret, *PLACE)
    assert Keyring([NEW]).open(sealed, *PLACE) == secret
    assert len(secret) < 4 or secret.encode() not in sealed


def test_the_same_secret_never_looks_the_same() -> None:
    keyring = Keyring([NEW])
    assert keyring.seal("s", *PLACE) != keyring.seal("s", *PLACE)


@pytest.mark.parametrize(
    "place",
    [
        ("another", "lumora-x", "secret"),
        ("lumora", "lumora-y", "secret"),
        ("lumora", "lumora-x", "verify_token"),
        ("lumoral", "umora-x", "secret"),
        ("lumora", "lumora-x"),
    ],
)
def test_a_secret_that_was_moved_does_not_open(place: tuple[str, ...]) -> None:
    keyring = Keyring([NEW])
    with pytest.raises(SealBroken, match="rotate"):
        keyring.open(keyring.seal("s", *PLACE), *place)


def test_keys_are_rotated_by_putting_the_new_one_first() -> None:
    sealed = Keyring([OLD]).seal("s", *PLACE)
    both = Keyring([NEW, OLD])
    assert both.open(sealed, *PLACE) == "s"
    assert not both.is_newest(sealed)
    assert both.is_newest(both.seal("s", *PLACE))
    with pytest.raises(SealBroken, match="put that key back"):
        Keyring([NEW]).open(sealed, *PLACE)


@given(position=st.integers(0, 40), change=st.integers(1, 255))
def test_no_byte_of_it_may_change(position: int, change: int) -> None:
    sealed = bytearray(Keyring([NEW]).seal("a secret", *PLACE))
    sealed[position % len(sealed)] ^= change
    with pytest.raises(SealBroken):
        Keyring([NEW]).open(bytes(sealed), *PLACE)


@given(sealed=st.binary())
def test_anything_else_does_not_open(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        Keyring([NEW, OLD]).open(sealed, *PLACE)


def test_keys_are_read_apart_by_commas_or_lines() -> None:
    words = [base64.b64encode(key).decode() for key in (NEW, OLD)]
    assert read_keys(",".join(words)) == read_keys("\n".join(words) + "\n") == [NEW, OLD]
    assert read_keys("") == []
    assert not Keyring([])


@pytest.mark.parametrize(
    ("text", "said"),
    [("no base64!", "not base64"), ("c2hvcnQ=", "holds 5 bytes"), ("c2hvcnR0b29sb25n", "32 are needed")],
)
def test_a_key_that_is_none_is_explained_without_being_shown(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        read_keys(text)
    assert text not in str(caught.value)
