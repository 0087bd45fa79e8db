"""Wrong settings are told by variable, value and advice; secrets are never shown."""

from dataclasses import dataclass

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.http_server import HttpSettings
from chassis.postgres import PostgresSettings
from chassis.settings import EXIT_CONFIGURATION, ProcessSettings, load, load_all


class _Sample(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_")

    name: str = Field(description="a name such as ann")
    size: int = Field(default=1, ge=1, description="a size from 1")
    token: SecretStr | None = Field(default=None, min_length=20, description="a token of 20 characters")
    mode: str = Field(default="a", validation_alias="MODE_OF_SAMPLE", pattern="^[ab]$", description="a or b")


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("POSTGRES_DSN", "LOG_LEVEL", "ASCOLTO_PROFILE", "HTTP_PORT"):
        monkeypatch.delenv(variable, raising=False)


def _complaints(settings: type[BaseSettings], capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit) as ended:
        load(settings)
    assert ended.value.code == EXIT_CONFIGURATION == 78
    return capsys.readouterr().err.splitlines()


def test_a_variable_that_is_not_set_is_named_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert _complaints(PostgresSettings, capsys) == [
        "POSTGRES_DSN: is not set; give a PostgreSQL URL such as postgresql://user@host:5432/ascolto"
    ]


def test_every_problem_has_its_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SAMPLE_SIZE", "0")
    monkeypatch.setenv("MODE_OF_SAMPLE", "c")

    assert _complaints(_Sample, capsys) == [
        "SAMPLE_NAME: is not set; give a name such as ann",
        "SAMPLE_SIZE: is '0': Input should be greater than or equal to 1; give a size from 1",
        "MODE_OF_SAMPLE: is 'c': String should match pattern '^[ab]$'; give a or b",
    ]


@pytest.mark.parametrize(
    ("settings", "variable", "value"),
    [
        (_Sample, "SAMPLE_TOKEN", "hidden-value"),
        (PostgresSettings, "POSTGRES_DSN", "mysql://user:hidden-value@host/db"),
    ],
)
def test_a_wrong_secret_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: type[BaseSettings],
    variable: str,
    value: str,
) -> None:
    monkeypatch.setenv("SAMPLE_NAME", "ann")
    monkeypatch.setenv(variable, value)

    [complaint] = _complaints(settings, capsys)
    assert complaint.startswith(f"{variable}: is set to something that cannot be used; give a")
    assert "hidden-value" not in complaint


@dataclass(frozen=True)
class _Group:
    postgres: PostgresSettings
    http: HttpSettings


def test_a_group_tells_the_problems_of_all_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load_all(_Group)
    variables = [line.split(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert variables == ["POSTGRES_DSN", "HTTP_PORT"]


def test_a_group_is_loaded_field_by_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://host/db")
    monkeypatch.setenv("HTTP_PORT", "8080")
    assert load_all(_Group).http.port == 8080


def test_a_port_out_of_range_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HTTP_PORT", "70000")

    [complaint] = _complaints(HttpSettings, capsys)
    assert complaint.startswith("HTTP_PORT: is '70000': Input should be less than or equal to 65535; give the")


def test_a_process_is_a_production_one_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(ProcessSettings).profile == "production"
    monkeypatch.setenv("ASCOLTO_PROFILE", "local")
    assert load(ProcessSettings).profile == "local"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "")
    assert load(ProcessSettings).log_level == "INFO"


def test_an_empty_role_means_none_while_no_role_means_the_services_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://host/db")
    assert load(PostgresSettings).role_for("ingest") == "ascolto_ingest"
    monkeypatch.setenv("POSTGRES_ROLE", "")
    assert load(PostgresSettings).role_for("ingest") == ""


def test_settings_do_not_show_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://user:hidden-value@host/db")
    assert "hidden-value" not in repr(load(PostgresSettings))
