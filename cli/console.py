"""What commands print: tables for people, JSON lines for programs, errors on standard error."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

LONG_COLUMNS = ("text", "message", "detail", "advice")
JSON_OPTION = typer.Option("--json", help="One JSON object per line, for programs.")


def print_json(value: Mapping[str, Any]) -> None:
    """One line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, title: str = "") -> None:
    """Rows as JSON lines (whole) or as a table of `columns`."""
    if as_json:
        for row in rows:
            print_json(row)
        return
    table = Table(
        title=title or None,
        title_justify="left",
        header_style="bold",
        box=SIMPLE_HEAD,
        expand=any(column in LONG_COLUMNS for column in columns),
    )
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    for at, column in enumerate(columns):
        # What is cut cannot be copied into the next command; only a long text may be.
        longest = max((cell_len(row[at]) for row in [columns, *cells]), default=0)
        flexible = column in LONG_COLUMNS
        table.add_column(column, no_wrap=True, width=None if flexible else longest, ratio=1 if flexible else None)
    for row_cells in cells:
        table.add_row(*row_cells)
    out.print(table)


def _cell(value: object) -> str:
    return "" if value is None else escape(str(value))
