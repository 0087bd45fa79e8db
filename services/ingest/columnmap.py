"""Column maps as people write them: a TOML file, and name=column pairs of the command line. Pure."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.ingest.cells import TimeForm
from services.ingest.columns import ColumnMap, ColumnMapError

_KEYS: Final = frozenset({"columns", "constants", "delimiter", "time_format", "time_zone"})


def read_column_map(document: str, pairs: Iterable[str] = ()) -> ColumnMap:
    """Read a TOML document ("" for none) and pairs, which go before it; raises `ColumnMapError`."""
    try:
        told = tomllib.loads(document)
    except tomllib.TOMLDecodeError as error:
        raise ColumnMapError(f"the map is no TOML: {error}") from error
    if unknown := sorted(told.keys() - _KEYS):
        raise ColumnMapError(f"the map has {', '.join(unknown)}; there are {', '.join(sorted(_KEYS))}")
    columns = {name: _columns(name, value) for name, value in _flat(told, "columns").items()}
    constants = {name: _constant(name, value) for name, value in _flat(told, "constants").items()}
    _add(columns, constants, pairs)
    return ColumnMap(
        columns=columns,
        constants=constants,
        delimiter=_delimiter(told.get("delimiter")),
        times=TimeForm(_optional_text(told, "time_format"), _zone(_optional_text(told, "time_zone"))),
    )


def _add(columns: dict[str, tuple[str, ...]], constants: dict[str, str], pairs: Iterable[str]) -> None:
    """Let pairs replace what the file says of their fields; several columns of one field are kept in order."""
    seen: set[str] = set()
    for pair in pairs:
        name, mark, rest = pair.partition("=")
        if not mark or not name.strip() or not rest.removeprefix("=").strip():
            raise ColumnMapError(f"{pair!r} is neither field=column nor field==constant")
        name = name.strip()
        earlier = columns.get(name, ()) if name in seen else ()
        columns.pop(name, None)
        constants.pop(name, None)
        seen.add(name)
        if rest.startswith("="):
            constants[name] = rest.removeprefix("=").strip()
        else:
            columns[name] = (*earlier, rest.strip())


def _flat(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A table of the document, in which "author.id" and a table of the author mean the same."""
    table = told.get(name, {})
    if not isinstance(table, dict):
        raise ColumnMapError(f"{name} is a table: [{name}]")
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= {f"{key}.{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _columns(name: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401 - what TOML may hold
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(each, str) and each for each in names):
        raise ColumnMapError(f"columns.{name} is the name of a column, or a list of names")
    return tuple(names)


def _constant(name: str, value: Any) -> str:  # noqa: ANN401 - what TOML may hold
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise ColumnMapError(f"constants.{name} is a text, a number, true or false")
    return str(value)


def _optional_text(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    if value is not None and not (isinstance(value, str) and value):
        raise ColumnMapError(f"{name} is a text")
    return value


def _delimiter(value: Any) -> str | None:  # noqa: ANN401 - what TOML may hold
    if value is not None and not (isinstance(value, str) and len(value) == 1 and value not in '\r\n"'):
        raise ColumnMapError('delimiter is one character, such as ";" or "\\t"')
    return value


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ColumnMapError(f"time_zone {name} is not known; use a name such as Europe/Rome") from None
