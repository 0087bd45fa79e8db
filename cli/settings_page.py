"""Every environment variable of the services as a page for people, from the descriptions of the settings classes."""

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, get_type_hints

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from chassis.dev_issuer import DevIssuerSettings
from chassis.settings import ProcessSettings, variable_of
from cli.project import SERVICES

Settings = type[BaseSettings]

_HEAD: Final = """# Settings

<!-- Rendered from the settings classes by `python -m cli.pages`: do not edit. -->

A service reads its environment once, when it starts. Where something is missing or wrong it says so, one line per
variable, and ends with exit code 78. *needed* means: there is no default; the keys have one in the local profile
(`ASCOLTO_PROFILE=local`), which is everybody's and protects nothing. What the command line reads stands in
[operating.md](operating.md#the-command-line).
"""


def render() -> str:
    """The page, whole."""
    return "\n".join((_HEAD, *(line for each in _sections() for line in each))).rstrip() + "\n"


def settings_of(service: str) -> tuple[Settings, ...]:
    """The settings classes that a service reads, those of every process first."""
    group = importlib.import_module(f"services.{service}.service").Settings
    return (ProcessSettings, *get_type_hints(group).values())


def _sections() -> Iterator[Iterable[str]]:
    readers: dict[Settings, list[str]] = {}
    for service in SERVICES:
        for settings in settings_of(service):
            readers.setdefault(settings, []).append(service)
    for settings in sorted(readers, key=lambda each: -len(readers[each])):
        yield _section(settings, ", ".join(readers[settings]))
    yield _section(DevIssuerSettings, "`python -m chassis.dev_issuer`")


def _section(settings: Settings, readers: str) -> Iterator[str]:
    summary = (settings.__doc__ or "").partition("\n")[0]
    yield from (f"## {settings.__name__.removesuffix('Settings')}", "", summary, "", f"Read by {readers}.", "")
    yield from ("| variable | default | meaning |", "|---|---|---|")
    for name, field in settings.model_fields.items():
        if not _is_told_before(settings, name):
            meaning = (field.description or "").replace("<", "&lt;")
            yield f"| `{variable_of(settings, name, field)}` | {_default(field)} | {meaning} |"
    yield ""


def _is_told_before(settings: Settings, name: str) -> bool:
    """Whether a field is one of every process, which many classes inherit."""
    inherits = settings is not ProcessSettings and issubclass(settings, ProcessSettings)
    return inherits and name in ProcessSettings.model_fields


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.is_required() or (field.validate_default and not _plain(value)):
        return "*needed*"
    return f"`{_plain(value)}`" if _plain(value) else "none"


def _plain(value: object) -> str:
    """A default as it is written in the environment; "" for none."""
    match value:
        case None | ():
            return ""
        case tuple():
            return ",".join(map(str, value))
        case SecretStr():
            return value.get_secret_value()
        case float() if value.is_integer():
            return str(int(value))
        case Path():
            return value.as_posix()
        case _:
            return str(value)
