"""Tables of any make: CSV and JSON lines whose columns a map names as fields of a post. Pure."""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from services.ingest.cells import READERS, CellError, TimeForm, time_of
from services.ingest.connector import titled
from services.ingest.decoding import convert
from services.ingest.importrows import Row
from services.ingest.payload import Node, read_json
from services.ingest.rawpost import Invalid, RawAuthor, RawPost

if TYPE_CHECKING:
    from _csv import Reader

FIELDS: Final = frozenset(
    {*RawPost.__struct_fields__, *(f"author.{name}" for name in RawAuthor.__struct_fields__)} - {"author", "spans"}
)
_DELIMITERS: Final = (",", ";", "\t", "|")
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_BYTE_ORDER_MARK: Final = "\ufeff"
_NAMES: Final = ("author.id", "author.handle", "author.display_name")


class ColumnMapError(ValueError):
    """The map cannot be used, or does not fit the table; the message says what to change."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which column holds which field of a post, by the names of samples/README.md."""

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """From field to columns: those of `text` are joined, of other fields the first that is not empty counts."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """What is the same in every row."""
    delimiter: str | None = None
    """Absent: whichever of comma, semicolon, tab and bar fits the header."""
    times: TimeForm = field(default_factory=TimeForm)

    def __post_init__(self) -> None:
        """Raise `ColumnMapError` for what is no field, or is told twice."""
        told = [*self.columns, *self.constants]
        for name in told:
            if name not in FIELDS:
                raise ColumnMapError(f"{name} is no field of a post; there are {', '.join(sorted(FIELDS))}")
            if told.count(name) > 1:
                raise ColumnMapError(f"{name} is given both by a column and as a constant; leave one out")


def read_csv(lines: Iterable[str], columns: ColumnMap) -> Iterator[Row]:
    """Read a table, opened with newline=""; raises `ColumnMapError` where its header lacks a column.

    Without any column in the map, the columns are expected to have the names of fields.
    """
    records = iter(lines)
    first = next(records, "").removeprefix(_BYTE_ORDER_MARK)
    skipped = 0
    if separator := _SEPARATOR_LINE.fullmatch(first):
        columns = replace(columns, delimiter=columns.delimiter or separator[1])
        first, skipped = next(records, ""), 1
    delimiter = columns.delimiter or _delimiter(first, columns)
    # Strict: a quote that is never closed is told, and swallows no rows in silence.
    reader = csv.reader(chain([first], records), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise ColumnMapError(f"the header cannot be read: {error}") from error
    return _records(reader, header, _fitted(columns, header), skipped)


def read_jsonl(lines: Iterable[bytes], columns: ColumnMap) -> Iterator[Row]:
    """Read JSON lines whose keys the map names; "user.name" is a key, or a member of the object `user`."""
    return _objects(lines, _complete(columns if columns.columns else _by_name(columns, FIELDS)))


def _delimiter(header: str, columns: ColumnMap) -> str:
    """The one that finds most columns of the map, and of several the one that finds most columns at all."""
    wanted = {name for names in columns.columns.values() for name in names} or FIELDS

    def found(delimiter: str) -> tuple[int, int]:
        names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
        return len(wanted.intersection(names)), len(names)

    return max(_DELIMITERS, key=found)


def _fitted(columns: ColumnMap, header: Sequence[str]) -> ColumnMap:
    columns = columns if columns.columns else _by_name(columns, FIELDS.intersection(header))
    missing = sorted({name for names in columns.columns.values() for name in names}.difference(header))
    if missing:
        raise ColumnMapError(f"no column {_listed(missing)}; the header has {_listed(header) or 'no columns'}")
    doubled = sorted({name for names in columns.columns.values() for name in names if header.count(name) > 1})
    if doubled:
        raise ColumnMapError(f"the header has the column {_listed(doubled)} more than once; rename one")
    return _complete(columns)


def _complete(columns: ColumnMap) -> ColumnMap:
    for name, example in (("network", "facebook_groups"), ("kind", "public_post")):
        if name not in columns.columns and name not in columns.constants:
            raise ColumnMapError(f"the map needs {name}: a column, or the same for all rows ({name}=={example})")
    return columns


def _by_name(columns: ColumnMap, names: Iterable[str]) -> ColumnMap:
    return replace(columns, columns={name: (name,) for name in names if name not in columns.constants})


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _records(reader: "Reader", header: Sequence[str], columns: ColumnMap, skipped: int) -> Iterator[Row]:
    """The rows; one that spans lines, because a cell does, has the number of its first."""
    while True:
        line_number = reader.line_num + 1 + skipped
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Row(line_number, Invalid("", f"this is no CSV: {error}"))
            continue
        if cells is None:
            return
        if len(cells) > len(header):
            yield Row(
                line_number, Invalid("", f"{len(cells)} cells, but the header has {len(header)}: a quote is missing")
            )
        elif any(cell.strip() for cell in cells):
            yield Row(line_number, _post(dict(zip(header, cells, strict=False)), columns))


def _objects(lines: Iterable[bytes], columns: ColumnMap) -> Iterator[Row]:
    names = {name for group in columns.columns.values() for name in group}
    for line_number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        document = read_json(line)
        if document is None or not document.is_object():
            yield Row(line_number, Invalid("", "a row is a JSON object"))
        else:
            yield Row(line_number, _post({name: _cell(document, name) for name in sorted(names)}, columns))


def _cell(document: Node, name: str) -> str:
    """A scalar of a JSON object, as a cell of a table would hold it."""
    value = (document[name] if name in document else document.at(*name.split("."))).value
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _post(cells: Mapping[str, str], columns: ColumnMap) -> RawPost | Invalid:
    fields: dict[str, Any] = {}
    for name, cell in _said(cells, columns).items():
        try:
            fields[name] = time_of(cell, columns.times) if name == "create_time" else READERS.get(name, str)(cell)
        except CellError as error:
            return Invalid(name, f"{error}{_place(name, columns)}")
    if "native_id" not in columns.columns:
        fields.setdefault("native_id", _digest(cells.values()))
    post = convert(_nested(fields), RawPost)
    return Invalid(post.field, post.description + _place(post.field, columns)) if isinstance(post, Invalid) else post


def _said(cells: Mapping[str, str], columns: ColumnMap) -> dict[str, str]:
    """The cells by field, without those that are empty."""
    said = dict(columns.constants)
    for name, sources in columns.columns.items():
        values = [value for source in sources if (value := cells.get(source, "").strip())]
        if values:
            said[name] = (titled(values[0], "\n\n".join(values[1:])) or "") if name == "text" else values[0]
    return said


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the author in an object; a table without their ids has names, which then identify them."""
    nested = {name: value for name, value in fields.items() if "." not in name}
    author = {name.partition(".")[2]: value for name, value in fields.items() if "." in name}
    identity = next((fields[name] for name in _NAMES if name in fields), None)
    return nested | {"author": {"id": identity, **author}} if identity else nested


def _digest(cells: Iterable[str]) -> str:
    """A name for a row of a table without ids: the same row has the same one, so that it is imported once."""
    content = "\x1f".join(cells).encode("utf-8", "surrogatepass")
    return f"row:{hashlib.sha256(content).hexdigest()[:32]}"


def _place(name: str, columns: ColumnMap) -> str:
    sources = columns.columns.get(name, ())
    return f" (column {_listed(sources)})" if sources else ""
