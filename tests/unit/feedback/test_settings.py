"""Settings: a key of one's own outside the local profile, and streams that end before their connection does."""

import base64

import pytest
from pydantic import ValidationError

from chassis.settings import problems
from services.feedback.settings import FeedbackSettings

KEY = base64.b64encode(b"k" * 32).decode()


def test_the_local_profile_has_a_key() -> None:
    assert len(FeedbackSettings(profile="local").cursor_key_bytes()) == 1


def test_without_a_key_production_names_the_variable() -> None:
    with pytest.raises(ValidationError) as caught:
        FeedbackSettings(profile="production")
    assert "CURSOR_KEYS" in problems(FeedbackSettings, caught.value)[0]


def test_keys_are_rotated_by_giving_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURSOR_KEYS", f"{KEY}, {base64.b64encode(b'o' * 32).decode()}")
    assert FeedbackSettings().cursor_key_bytes() == [b"k" * 32, b"o" * 32]


@pytest.mark.parametrize("key", ["c2hvcnQ=", "not base64"])
def test_a_weak_key_is_refused_and_not_shown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURSOR_KEYS", key)
    with pytest.raises(ValidationError) as caught:
        FeedbackSettings()
    assert key not in " ".join(problems(FeedbackSettings, caught.value))
