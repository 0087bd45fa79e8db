"""What commands print: tables for people, JSON lines for programs, errors on standard error."""

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

LONG_COLUMNS = ("text", "message", "detail", "advice")
LEAST_TEXT: Final = 20
"""Columns of a long text that is worth reading."""
_EDGE: Final = 1
_BETWEEN: Final = 3
"""What a table takes beside its columns."""
JSON_OPTION = typer.Option("--json", help="One JSON object per line, for programs.")


def never_refuse_a_character() -> None:
    """What the encoding of the terminal does not have becomes a question mark, instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def printable(text: str) -> str:
    """On one line, and without what would steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def print_json(value: Mapping[str, Any]) -> None:
    """One line of JSON; escaped where the encoding of the output does not have every character."""
    typer.echo(json.dumps(value, ensure_ascii=not _has_every_character(), default=str))


def _has_every_character() -> bool:
    return (sys.stdout.encoding or "").lower().startswith("utf")


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, title: str = "") -> None:
    """Rows as JSON lines (whole) or as a table of `columns`, wider than the terminal where it has to be."""
    if as_json:
        for row in rows:
            print_json(row)
        return
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    # What is cut cannot be copied into the next command; only a long text may be.
    widths = [
        None if column in LONG_COLUMNS else max(cell_len(row[at]) for row in [columns, *cells])
        for at, column in enumerate(columns)
    ]
    table = Table(title=title or None, title_justify="left", header_style="bold", box=SIMPLE_HEAD)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, no_wrap=True, width=width, ratio=1 if width is None else None)
    for row_cells in cells:
        table.add_row(*map(escape, row_cells))
    needed = _EDGE + sum(_BETWEEN + (LEAST_TEXT if width is None else width) for width in widths)
    table.width = max(needed, out.width) if None in widths else needed
    out.print(table, crop=False)


def _cell(value: object) -> str:
    return "" if value is None else printable(str(value))
