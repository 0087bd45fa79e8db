"""INTEGRATIONS_KEY: where the keys that seal secrets come from."""

import base64
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.ingest.settings import IngestSettings

FIRST, SECOND = b"1" * 32, b"2" * 32
PSEUDONYM = SecretStr(base64.b64encode(b"p" * 32).decode())


def encoded(*keys: bytes) -> str:
    return "\n".join(base64.b64encode(key).decode() for key in keys)


def test_keys_stand_in_the_environment_or_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(encoded(FIRST, SECOND) + "\n")
    given = IngestSettings(profile="production", pseudonym_key=PSEUDONYM, integrations_key=SecretStr(encoded(FIRST)))
    read = IngestSettings(profile="production", pseudonym_key=PSEUDONYM, integrations_key_file=file)
    assert given.integrations_keys() == [FIRST]
    assert read.integrations_keys() == [FIRST, SECOND]


def test_the_local_profile_alone_has_a_key_of_its_own() -> None:
    assert len(IngestSettings(profile="local").integrations_keys()) == 1
    assert IngestSettings(profile="production", pseudonym_key=PSEUDONYM).integrations_keys() == []


def test_a_key_that_is_none_ends_the_start_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="32 are needed"):
        IngestSettings(profile="local", integrations_key=SecretStr("c2hvcnQ="))
    with pytest.raises(ValidationError, match="cannot be read"):
        IngestSettings(profile="local", integrations_key_file=tmp_path / "nowhere")
