"""The variables of the manifests are those that the services read, and all that they need."""

import base64
import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_type_hints

import pytest
from pydantic_settings import BaseSettings

from chassis.dev_issuer import DevIssuerSettings
from chassis.kafka import KafkaSettings
from chassis.postgres import PostgresSettings
from chassis.settings import ProcessSettings, variable_of
from tests.contract.manifests import (
    BASE,
    DEPLOY,
    K8S,
    SERVICES,
    Manifest,
    containers_of,
    deployment,
    manifests,
    mentioned,
    shared_configuration,
    variables,
)

CONTAINERS = [
    (f"{path.relative_to(K8S)}:{each['metadata']['name']}", container)
    for path, each in manifests()
    for container in containers_of(each)
]
KEY = base64.b64encode(b"made up for this test: 32 bytes!").decode()
SECRETS = {"POSTGRES_DSN": "postgresql://u@db:5432/ascolto"}


def _settings_of(service: str) -> list[type[BaseSettings]]:
    """The settings classes that a service reads, besides what every process reads."""
    group = importlib.import_module(f"services.{service}.service").Settings
    found = (each for each in get_type_hints(group).values() if isinstance(each, type))
    return [ProcessSettings, *(each for each in found if issubclass(each, BaseSettings))]


def _variables_of(classes: list[type[BaseSettings]]) -> set[str]:
    return {variable_of(each, *field) for each in classes for field in each.model_fields.items()}


def _known_to(container: str) -> set[str]:
    if container in SERVICES:
        return _variables_of(_settings_of(container))
    ours: dict[str, list[type[BaseSettings]]] = {
        "issuer": [DevIssuerSettings, ProcessSettings],
        "migrate": [PostgresSettings],
        "topics": [KafkaSettings],
    }
    return _variables_of(ours[container])


OURS = [(name, each) for name, each in CONTAINERS if each["name"] not in {"kafka", "postgres"}]


@pytest.mark.parametrize(("name", "container"), OURS, ids=[name for name, _ in OURS])
def test_every_variable_is_one_that_the_program_reads(name: str, container: Manifest) -> None:
    unknown = variables(container).keys() - mentioned(container) - _known_to(container["name"])
    assert unknown == set(), name


@pytest.mark.parametrize("file", sorted(K8S.rglob("config.env")), ids=lambda file: file.parent.name)
def test_the_shared_configuration_is_read_by_every_service(file: Path) -> None:
    for service in SERVICES:
        assert shared_configuration(file.parent).keys() <= _known_to(service), service


@pytest.mark.parametrize("container", [each for _, each in OURS], ids=[name for name, _ in OURS])
def test_a_variable_stands_before_those_that_mention_it(container: Manifest) -> None:
    seen: set[str] = set()
    for each in container.get("env", []):
        assert mentioned({"env": [each]}) <= seen
        seen.add(each["name"])


def _environment(service: str) -> dict[str, str]:
    """What the base gives to a service, with made-up secrets."""
    (container,) = containers_of(deployment(service))
    own = {name: str(each.get("value", SECRETS.get(name, KEY))) for name, each in variables(container).items()}
    return shared_configuration() | own


def _load(service: str, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _known_to(service):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    importlib.import_module(f"services.{service}.service").load_settings()


@pytest.mark.parametrize("service", SERVICES)
def test_the_base_gives_a_service_all_that_it_needs(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _load(service, _environment(service), monkeypatch)


def _secrets() -> list[tuple[str, str]]:
    """Those that a service cannot start without."""
    return [
        (service, name)
        for service in SERVICES
        for name, each in variables(containers_of(deployment(service))[0]).items()
        if "valueFrom" in each and not each["valueFrom"]["secretKeyRef"].get("optional")
    ]


@pytest.mark.parametrize(("service", "secret"), _secrets())
def test_no_secret_can_be_left_out(service: str, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {name: value for name, value in _environment(service).items() if name != secret}
    with pytest.raises(SystemExit):
        _load(service, environment, monkeypatch)


def test_every_secret_is_documented() -> None:
    text = (DEPLOY / "README.md").read_text()
    for name, container in CONTAINERS:
        for each in variables(container).values():
            reference = (each.get("valueFrom") or {}).get("secretKeyRef")
            if reference:
                assert f"`{reference['name']}`" in text, name
                assert f"`{reference['key']}`" in text, name


def test_every_setting_of_the_base_is_documented() -> None:
    text = (DEPLOY / "README.md").read_text()
    assert [name for name in shared_configuration(BASE) if not re.search(rf"`{name}`", text)] == []
