"""Settings of a process from its environment: `load` answers them, or says what to mend and ends the process."""

import os
import sys
from typing import Literal, NoReturn, TypeVar, get_type_hints

from pydantic import AliasChoices, AliasPath, Field, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

EXIT_CONFIGURATION = 78
"""The exit code of a process that was configured wrongly (EX_CONFIG of sysexits.h)."""

S = TypeVar("S", bound=BaseSettings)
G = TypeVar("G")


class ProcessSettings(BaseSettings):
    """What every process of ours can be told."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True, env_ignore_empty=True)

    profile: Literal["local", "production"] = Field(
        default="production",
        validation_alias="ASCOLTO_PROFILE",
        description="local (one machine, development identities) or production",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", validation_alias="LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto",
        validation_alias="LOG_FORMAT",
        description="json, console, or auto: console on a terminal and json elsewhere",
    )
    shutdown_grace_seconds: float = Field(
        default=20.0,
        gt=0,
        validation_alias="SHUTDOWN_GRACE_SECONDS",
        description="how many seconds a stopping process may take to finish its work, such as 20",
    )


def load(settings: type[S]) -> S:
    """Read `settings` from the environment, or print one line per problem to stderr and exit with 78."""
    try:
        return settings()
    except ValidationError as error:
        _refuse(problems(settings, error))


def load_all(group: type[G]) -> G:
    """Read a dataclass whose fields are settings, or print the problems of all of them and exit with 78."""
    loaded: dict[str, BaseSettings] = {}
    found: list[str] = []
    for name, settings in get_type_hints(group).items():
        try:
            loaded[name] = settings()
        except ValidationError as error:
            found += problems(settings, error)
    if found:
        _refuse(found)
    return group(**loaded)


def _refuse(lines: list[str]) -> NoReturn:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - logging is configured by settings, so it is not there yet
    raise SystemExit(EXIT_CONFIGURATION)


def problems(settings: type[BaseSettings], error: ValidationError) -> list[str]:
    """Say what is wrong and what to give, one line per variable; what was given is shown unless secret."""
    return [_problem(settings, detail) for detail in error.errors(include_url=False)]


def _problem(settings: type[BaseSettings], detail: ErrorDetails) -> str:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    field = _find_field(settings, name)
    if field is None:
        return f"{name or settings.__name__}: {detail['msg']}"
    variable = variable_of(settings, *field)
    info = field[1]
    advice = f"; give {info.description}" if info.description else ""
    if detail["type"] == "missing" or not os.environ.get(variable):
        return f"{variable}: is not set{advice}"
    if _is_secret(info):
        return f"{variable}: is set to something that cannot be used{advice}"
    return f"{variable}: is {detail['input']!r}: {detail['msg']}{advice}"


def _find_field(settings: type[BaseSettings], name: str) -> tuple[str, FieldInfo] | None:
    """Errors name a field by its attribute or by the variable that it was read from, in whatever case."""
    for attribute, info in settings.model_fields.items():
        if name.lower() in {attribute.lower(), variable_of(settings, attribute, info).lower()}:
            return attribute, info
    return None


def variable_of(settings: type[BaseSettings], attribute: str, info: FieldInfo) -> str:
    """The environment variable that sets a field, as messages and pages name it."""
    alias = info.validation_alias
    if isinstance(alias, AliasChoices):
        alias = alias.choices[0]
    if isinstance(alias, AliasPath):
        alias = str(alias.path[0])
    return alias or f"{settings.model_config.get('env_prefix', '')}{attribute}".upper()


def _is_secret(info: FieldInfo) -> bool:
    """True where the annotation mentions a secret type anywhere, as in `SecretStr | None`."""
    return any(secret.__name__ in repr(info.annotation) for secret in (SecretStr, SecretBytes))
