"""Files of rows: our own JSON lines, and tables of any make that a column map explains."""

import codecs
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from cli.errors import CommandError
from services.ingest.columnmap import read_column_map
from services.ingest.columns import ColumnMap, ColumnMapError, read_csv, read_jsonl
from services.ingest.importrows import Row, parse_rows

_TABLES: Final = frozenset({".csv", ".tsv", ".tab", ".txt"})
_BYTE_ORDER_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def our_rows(file: Path) -> Iterator[Row]:
    """The rows of JSON lines of our own shape."""
    with file.open("rb") as lines:
        yield from parse_rows(lines)


def table_reader(
    file: Path, column_map: Path | None, pairs: Sequence[str], encoding: str | None
) -> Callable[[Path], Iterator[Row]]:
    """How to read a file: as a table by its ending, by a map where there is one; raises CommandError for a bad map."""
    is_table = file.suffix.lower() in _TABLES
    if not is_table and column_map is None and not pairs:
        return our_rows
    if encoding is not None:
        _require_known(encoding)
    try:
        columns = read_column_map(column_map.read_text(encoding="utf-8") if column_map else "", pairs)
    except OSError as error:
        raise CommandError(f"{column_map}: {error.strerror}") from error
    except (ColumnMapError, UnicodeDecodeError) as error:
        raise CommandError(f"{column_map or '--column'}: {error}") from error
    return lambda given: _told(given, _csv(given, columns, encoding) if is_table else _jsonl(given, columns))


def _require_known(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise CommandError(f"--encoding {encoding}: is not known; give a name such as utf-8 or cp1252.") from None


def _csv(file: Path, columns: ColumnMap, encoding: str | None) -> Iterator[Row]:
    with file.open(encoding=encoding or _encoding(file), newline="") as lines:
        yield from read_csv(lines, columns)


def _jsonl(file: Path, columns: ColumnMap) -> Iterator[Row]:
    with file.open("rb") as lines:
        yield from read_jsonl(lines, columns)


def _encoding(file: Path) -> str:
    """As its byte order mark says, else UTF-8."""
    with file.open("rb") as start:
        mark = start.read(max(map(len, _BYTE_ORDER_MARKS)))
    return next((name for known, name in _BYTE_ORDER_MARKS.items() if mark.startswith(known)), "utf-8")


def _told(file: Path, rows: Iterator[Row]) -> Iterator[Row]:
    try:
        yield from rows
    except ColumnMapError as error:
        raise CommandError(f"{file}: {error}.") from error
    except UnicodeError as error:
        raise CommandError(
            f"{file}: is not {getattr(error, 'encoding', 'text')}; give its encoding, such as --encoding cp1252."
        ) from error
