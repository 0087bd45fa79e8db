"""Files of rows on the way into an import: endings, encodings, maps, and what the command line says of bad ones."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.errors import CommandError
from cli.tables import our_rows, table_reader
from services.ingest.rawpost import RawPost

MAP = """
[columns]
text = ["Title", "Message"]
author.display_name = "Name"

[constants]
network = "facebook_groups"
kind = "public_post"
"""
NOBODY = {"ASCOLTO_INGEST_GRPC": "127.0.0.1:9", "ASCOLTO_TOKEN": "none"}
TABLE = "Name;Title;Message\r\nZoë;Größe;Passt sie?\r\n"


def texts(file: Path, column_map: Path | None = None, *pairs: str, encoding: str | None = None) -> list[str | None]:
    found = table_reader(file, column_map, pairs, encoding)(file)
    return [row.post.text for row in found if isinstance(row.post, RawPost)]


@pytest.fixture
def column_map(tmp_path: Path) -> Path:
    file = tmp_path / "map.toml"
    file.write_text(MAP)
    return file


@pytest.mark.parametrize(
    ("written", "given"), [("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("cp1252", "cp1252")]
)
def test_a_table_is_read_in_its_encoding(tmp_path: Path, column_map: Path, written: str, given: str | None) -> None:
    file = tmp_path / "group.csv"
    file.write_bytes(TABLE.encode(written))
    assert texts(file, column_map, encoding=given) == ["Größe\n\nPasst sie?"]


def test_json_lines_with_a_map_are_a_table(tmp_path: Path, column_map: Path) -> None:
    file = tmp_path / "group.jsonl"
    file.write_text('{"who": "Ann", "Title": "", "Message": "Hi"}\n')
    assert texts(file, column_map, "author.display_name=who") == ["Hi"]


def test_json_lines_without_a_map_are_our_own(tmp_path: Path) -> None:
    assert table_reader(tmp_path / "posts.jsonl", None, [], None) is our_rows


def test_a_table_whose_columns_are_fields_needs_no_map(tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text("network,kind,native_id,author.id,text\nx,public_post,1,u,Hi\n")
    assert texts(file) == ["Hi"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--column", "text=Body"], 'no column "Body"; the header has "Name", "Title", "Message"'),
        (["--column", "txt=Message"], "--column: txt is no field"),
        (["--map", "/nowhere.toml"], "/nowhere.toml: No such file"),
        (["--column", "text=Message", "--encoding", "klingon"], "--encoding klingon: is not known"),
        ([], "is not utf-8; give its encoding"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(tmp_path: Path, options: list[str], told: str) -> None:
    file = tmp_path / "group.csv"
    file.write_bytes(TABLE.encode("utf-8" if options else "cp1252"))
    # Nobody listens there: none of these gets as far as asking.
    result = CliRunner().invoke(app, ["import", str(file), *options], env=NOBODY)
    assert isinstance(result.exception, CommandError)
    assert told in str(result.exception)
