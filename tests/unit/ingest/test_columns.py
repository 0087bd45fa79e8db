"""Tables of any make: what their cells become, and how a map, a header or a row that does not fit is told."""

import contextlib
import io
import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.cells import CellError, TimeForm, time_of
from services.ingest.columnmap import read_column_map
from services.ingest.columns import ColumnMapError, read_csv, read_jsonl
from services.ingest.importrows import Row
from services.ingest.rawpost import Invalid, RawPost

PAIRS = ("network==facebook_groups", "kind==public_post", "text=Message", "author.display_name=Name")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def rows(table: str, *pairs: str, toml: str = "") -> list[Row]:
    return list(read_csv(io.StringIO(table, newline=""), read_column_map(toml, pairs or PAIRS)))


def the_post(table: str, *pairs: str) -> RawPost:
    [row] = rows(table, *pairs)
    assert isinstance(row.post, RawPost), row
    return row.post


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_finds_the_columns(mark: str) -> None:
    found = the_post(f"\ufeffName{mark}No{mark}Message\r\nAnn{mark}1{mark}Hi\r\n")
    assert (found.network, found.text, found.author and found.author.id) == ("facebook_groups", "Hi", "Ann")


def test_a_spreadsheet_may_name_its_separator() -> None:
    [row] = rows("sep=;\r\nName;Message\r\nAnn;Hi, all\r\n")
    assert isinstance(row.post, RawPost)
    assert (row.line_number, row.post.text) == (3, "Hi, all")


def test_a_row_is_known_by_its_first_line() -> None:
    found = rows('Name,Message\nAnn,"one\n\ntwo ""2"""\n\nBo,three\nC,x,y,z\nD,four\n')
    assert [row.line_number for row in found] == [2, 6, 7, 8]
    assert isinstance(found[0].post, RawPost)
    assert found[0].post.text == 'one\n\ntwo "2"'
    assert found[2].post == Invalid("", "4 cells, but the header has 2: a quote is missing")


def test_a_quote_that_stays_open_is_told() -> None:
    _, broken = rows('Name,Message\nAnn,Hi\nBo,"never closed\nC,x\n')
    assert broken == Row(3, Invalid("", "this is no CSV: unexpected end of data"))


def test_several_columns_make_one_text() -> None:
    found = the_post("Title,Body,Name\nLate,Three weeks,Ann\n", *PAIRS[:2], "author.id=Name", "text=Title", "text=Body")
    assert found.text == "Late\n\nThree weeks"


def test_cells_become_what_their_fields_hold() -> None:
    header = "network,kind,native_id,author.id,author.verified,own,rating,followers,create_time,media"
    found = the_post(
        f'{header}\nX,Review,7,u,yes,0,"4,5",12,1795176000,https://m.example/a.jpg https://m.example/b\n', "text==Hi"
    )
    assert (found.network, found.kind, found.native_id, found.own, found.rating) == ("x", "review", "7", False, 4.5)
    assert (found.followers, found.create_time, found.author and found.author.verified) == (12, NOON, True)
    assert [each.kind for each in found.media] == ["image", "file"]


def test_a_row_without_an_id_is_named_by_what_it_says() -> None:
    first, again, other = (the_post(f"Name,Message\nAnn,{text}\n").native_id for text in ("Hi", "Hi", "Ho"))
    assert first == again != other


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("2026-11-20T12:00:00Z", TimeForm()),
        ("2026-11-20 13:00:00+01:00", TimeForm()),
        ("2026-11-20 12:00", TimeForm()),
        ("20.11.2026, 12:00", TimeForm()),
        ("20/11/2026 12:00", TimeForm()),
        ("11/20/2026 12:00 PM", TimeForm()),
        ("Fri, 20 Nov 2026 12:00:00 +0000", TimeForm()),
        ("1795176000", TimeForm()),
        ("1795176000000", TimeForm()),
        ("20-2026-11 12h", TimeForm("%d-%Y-%m %Hh")),
    ],
)
def test_times_are_read_in_many_forms(cell: str, form: TimeForm) -> None:
    assert time_of(cell, form) == NOON


@pytest.mark.parametrize("cell", ["yesterday", "4/5/2026", "31.02.2026", "45981.5", "20.11.2026 25:00", ""])
def test_a_time_that_may_mean_anything_is_refused(cell: str) -> None:
    with pytest.raises(CellError):
        time_of(cell, TimeForm())


def test_a_table_may_be_of_a_time_zone() -> None:
    toml = 'time_zone = "Europe/Rome"\n[columns]\ncreate_time = "When"\n'
    [row] = rows("Name,Message,When\nAnn,Hi,20.11.2026 13:00\n", *PAIRS, toml=toml)
    assert isinstance(row.post, RawPost)
    assert row.post.create_time == NOON


@pytest.mark.parametrize(
    ("cells", "field", "told"),
    [
        ("soon,1,true", "create_time", 'column "When"'),
        ("2026-11-20,many,true", "followers", "no whole number"),
        ("2026-11-20,1,perhaps", "own", "neither true nor false"),
        ("2026-11-20,-1,no", "followers", 'column "Fans"'),
    ],
)
def test_a_bad_cell_names_its_field_and_column(cells: str, field: str, told: str) -> None:
    extra = ("create_time=When", "followers=Fans", "own=Ours")
    [row] = rows(f"Name,Message,When,Fans,Ours\nAnn,Hi,{cells}\n", *PAIRS, *extra)
    assert isinstance(row.post, Invalid)
    assert (row.post.field, told in row.post.description) == (field, True)


@pytest.mark.parametrize(
    ("table", "toml", "pairs", "told"),
    [
        ("Name,Text\n", "", PAIRS, 'no column "Message"; the header has "Name", "Text"'),
        ("", "", PAIRS, "the header has no columns"),
        ("Name,Message,Name\n", "", PAIRS, '"Name" more than once'),
        ("Message\n", "", ("text=Message", "kind==review"), "needs network"),
        ("A\n", "", ("texte=A",), "texte is no field"),
        ("A\n", "", ("text",), "neither field=column nor field==constant"),
        ("A\n", "[columns]\ntext = 3\n", PAIRS, "columns.text is the name"),
        ("A\n", "[columns]\nkind = 'A'\n[constants]\nkind = 'chat'\n", ("network==x",), "both by a column and"),
        ("A\n", "colums = 1\n", PAIRS, "colums"),
        ("A\n", "time_zone = 'Mars/Olympus'\n", PAIRS, "Mars/Olympus is not known"),
        ("A\n", "[[", PAIRS, "no TOML"),
    ],
)
def test_a_map_that_does_not_fit_says_so(table: str, toml: str, pairs: tuple[str, ...], told: str) -> None:
    with pytest.raises(ColumnMapError, match=re.escape(told)):
        rows(table, *pairs, toml=toml)


def test_pairs_go_before_the_file() -> None:
    toml = '[columns]\ntext = "Old"\nauthor.id = "Id"\n[constants]\nnetwork = "x"\nkind = "review"\n'
    columns = read_column_map(toml, ["text=New", "kind=Kind"])
    assert columns.columns == {"text": ("New",), "author.id": ("Id",), "kind": ("Kind",)}
    assert columns.constants == {"network": "x"}


def test_json_lines_are_mapped_by_their_keys() -> None:
    lines = [json.dumps({"user": {"name": "Ann"}, "body": "Hi", "no": 7}).encode(), b"\n", b"[]\n"]
    pairs = [*PAIRS[:2], "author.id=user.name", "text=body", "native_id=no"]
    first, second = read_jsonl(lines, read_column_map("", pairs))
    assert isinstance(first.post, RawPost)
    assert (first.post.native_id, first.post.author and first.post.author.id) == ("7", "Ann")
    assert second == Row(3, Invalid("", "a row is a JSON object"))


@given(st.text(max_size=200))
def test_no_table_raises(table: str) -> None:
    for row in rows("Name,Message\n" + table):
        assert isinstance(row.post, RawPost | Invalid)


@given(st.text(max_size=40))
def test_no_time_raises_anything_else(cell: str) -> None:
    with contextlib.suppress(CellError):
        assert time_of(cell, TimeForm()).tzinfo is not None
