"""Settings: the local profile has keys of its own, elsewhere a missing one is named."""

import pytest

from chassis.settings import load
from services.responder.settings import DispatchSettings, ResponderSettings


def test_the_local_profile_needs_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCOLTO_PROFILE", "local")
    settings = load(ResponderSettings)
    assert len(settings.session_key_bytes()) >= 32
    assert [len(key) >= 32 for key in settings.cursor_key_bytes()] == [True]


@pytest.mark.parametrize("variable", ["CHAT_SESSION_KEY", "CURSOR_KEYS"])
def test_in_production_a_missing_key_is_named(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASCOLTO_PROFILE", "production")
    with pytest.raises(SystemExit) as end:
        load(ResponderSettings)
    assert (end.value.code, variable in capsys.readouterr().err) == (78, True)


def test_a_lease_outlives_the_request_under_it() -> None:
    with pytest.raises(ValueError, match="DISPATCH_LEASE_SECONDS"):
        DispatchSettings.model_validate({"lease_seconds": 20, "request_timeout_seconds": 15})
