"""`ascolto classify`: any text gets an answer, any line a row, and any number of lines fits into memory."""

import codecs
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from cli import judgement_lines, texts
from cli.app import app
from cli.commands import classify
from cli.errors import CommandError
from cli.texts import Line
from services.routing.classifier import Cascade
from services.routing.judgement import Category, Evidence, Judgement, Kind, Mix, Stage, Text, UrgencyReason
from services.routing.mix import Stream
from services.routing.rules.loading import load_rules
from services.routing.venues import Venue

PARCEL = '{"text": "Where is my parcel?", "language": "en"}'
JUDGEMENT = Judgement(
    category=Category.QUESTION,
    abstained=True,
    probabilities=dict.fromkeys(Category, 0.25),
    language="en",
    reasons=("word:\x1b[2J", *(f"word:{'漢' * 30}" for _ in range(5))),
    model="models/m@1+ab",
    kind=Kind.INFORMATION_REQUEST,
    sentiment=1,
    urgency=tuple(UrgencyReason),
    topics=("delivery", "availability", "cleanliness"),
    toxicity=0.934,
    stage=Stage.ENCODER,
    mix=Mix(0.1, 0.5, 0.3, 0.1),
    evidence=(Evidence("category", "word:漢", 3, 4),),
)


@pytest.fixture(scope="module", autouse=True)
def _loaded_once() -> Iterator[None]:
    """The shipped weights are read once for all these tests."""
    shipped = Cascade.load()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cascade, "load", lambda _: shipped)
        yield


def _run(*arguments: str, given: str | bytes = "") -> Result:
    return CliRunner().invoke(app, ["classify", *arguments], input=given)


def _rows(given: str | bytes, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _run("-", "--json", *arguments, given=given).stdout.splitlines()]


def test_each_row_says_everything_that_was_judged() -> None:
    [row] = _rows(PARCEL, "--evidence")
    assert row["category"] == "question"
    assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert row.keys() == {
        *("line", "category", "probabilities", "kind", "sentiment", "urgency", "topics", "toxicity"),
        *("language", "stage", "abstained", "mix", "reasons", "evidence", "model"),
    }


def test_evidence_is_shown_where_it_is_asked_for() -> None:
    assert "evidence" not in _rows(PARCEL)[0]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{", "no JSON"),
        ("7" * 5_000, "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no JSON object"),
        ("{}", "text"),
        ('{"text": 3}', "text"),
        ('{"text": "a", "language": 7}', "language"),
        ('{"text": "a", "network": []}', "network"),
        ('{"text": "a", "rating": NaN}', "rating"),
        ('{"text": "a", "rating": true}', "rating"),
        (f'{{"text": "a", "rating": 1{"0" * 400}}}', "rating"),
        ('{"text": "a", "rating": 1e999}', "rating"),
        ('{"text": "a", "reply": "yes"}', "reply"),
    ],
)
def test_a_line_that_holds_no_text_is_answered_and_the_others_go_on(tmp_path: Path, line: str, named: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f"\n{line}\n{PARCEL}\n")
    result = _run(str(file), "--json")
    bad, good = map(json.loads, result.stdout.splitlines())
    assert (bad["line"], good["line"], good["category"]) == (2, 3, "question")
    assert named in bad["error"]
    assert isinstance(result.exception, CommandError)
    assert "1 of its lines" in str(result.exception)


def test_a_table_has_the_row_of_a_bad_line_in_its_place() -> None:
    table = _run("-", given=f"{PARCEL}\n[]\n{PARCEL}\n").stdout.splitlines()
    numbered = [line.split()[0] for line in table if not line.startswith(" " * 8)]
    assert numbered == ["line", "1", "2", "3"]
    assert "      2 could not be read: this is no JSON object" in table


def test_plain_lines_are_texts() -> None:
    rows = _rows("Where is my parcel?\n\nWhere is my refund?\n")
    assert [(row["line"], row["category"]) for row in rows] == [(1, "question"), (3, "question")]


def test_plain_lines_may_look_like_json() -> None:
    assert "category" in _rows('{"no": "JSON lines', "--plain")[0]


def test_what_the_network_knows_is_told_to_the_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Text] = []

    class Listening:
        model = "models/m"

        def classify(self, texts: list[Text]) -> list[Judgement]:
            seen.extend(texts)
            return [JUDGEMENT] * len(texts)

    monkeypatch.setattr(Cascade, "load", lambda _: Listening())
    _rows('{"text": "a", "lang": "it", "network": "x", "rating": 4, "reply": true}')
    assert seen == [Text("a", "it", "x", 4, reply=True, venue=Venue.MICROBLOG)]


@given(st.lists(st.text(st.characters(exclude_categories=())), min_size=1, max_size=5))
@settings(max_examples=50)
def test_any_text_gets_an_answer(texts: list[str]) -> None:
    lines = "\n".join(json.dumps({"text": text}) for text in texts)
    result = _run("-", "--json", given=lines)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(texts)


@given(st.binary().filter(lambda line: line.strip(b"\xff\xfe\xfb\xef") and not line.lstrip().startswith(b"{")))
@settings(max_examples=50)
def test_any_bytes_are_read_as_plain_text(content: bytes) -> None:
    assert _run("-", given=content).exit_code == 0


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, mark: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(codecs.encode(PARCEL, mark))
    assert json.loads(_run(str(file), "--json").stdout)["category"] == "question"


def test_batches_are_bounded_in_rows_and_in_characters() -> None:
    def lines() -> Iterator[Line]:
        for number in range(1_200):
            yield Line(number, Text("x"))
        for number in range(5):
            yield Line(number, Text("x" * classify.BATCH_CHARACTERS))

    assert [len(batch) for batch in classify._batches(lines())] == [500, 500, 201, 1, 1, 1, 1]


def test_a_line_without_end_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LONGEST_LINE", 1_000)
    long, good = _rows(json.dumps({"text": "x" * 3_000}) + "\n" + PARCEL)
    assert "longer than 1,000 characters" in long["error"]
    assert good["line"] == 2


def test_a_text_of_megabytes_gets_an_answer() -> None:
    text = "Where is my parcel? " * 60_000
    assert ["category" in row for row in _rows(json.dumps({"text": text}))] == [True]


def test_the_help_says_how_long_a_line_may_be() -> None:
    assert f"{texts.LONGEST_LINE:,} characters" in " ".join((classify.classify.__doc__ or "").split())


def test_what_people_read_fits_their_terminal_and_cannot_steer_it() -> None:
    lines = [judgement_lines.heading(), *judgement_lines.told(9_999_999, JUDGEMENT, evidence=True)]
    assert max(map(cell_len, lines)) <= judgement_lines.COLUMNS
    assert not [line for line in lines if not line.isprintable()]


def test_people_are_told_all_that_programs_are() -> None:
    shown = judgement_lines.shown(7, JUDGEMENT, evidence=True)
    words = {
        "line": "7 ",
        "category": "question",
        "probabilities": " 25  25  25  25 ",
        "kind": "information_request",
        "sentiment": "very negative",
        "urgency": "critical",
        "topics": "topic:availability",
        "toxicity": "toxicity:0.93",
        "language": " en ",
        "stage": "encoder",
        "abstained": "unsure",
        "mix": "mix:10/50/30/10%",
        "reasons": f"word:{'漢' * 30}",
        "model": "models/m@1+ab",
        "evidence": "category <- word:漢 [3:4]",
    }
    told = "\n".join(judgement_lines.told(7, JUDGEMENT, evidence=True))
    reasons = [f"urgency:{reason}" for reason in shown["urgency"]["reasons"]]
    assert words.keys() == shown.keys()
    assert not [word for word in (*words.values(), *reasons) if word not in told]


def test_toxicity_that_is_small_is_not_worth_a_word() -> None:
    told = judgement_lines.told(1, replace(JUDGEMENT, toxicity=0.05), evidence=False)
    assert not [line for line in told if "toxicity" in line]


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_character_that_the_terminal_does_not_have_costs_no_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    file = tmp_path / "rows.txt"
    file.write_text(f"{'漢' * 200} 漢\nWhere is my parcel?\n")
    printed = subprocess.run(
        [str(Path(sys.executable).with_name("ascolto")), "classify", str(file), "--evidence", *arguments],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    ).stdout.decode("latin-1")
    assert "information_request" in printed
    assert ("\\u6f22" in printed) == bool(arguments)


def test_a_missing_file_says_so() -> None:
    result = _run("/nowhere.jsonl")
    assert isinstance(result.exception, CommandError)
    assert "/nowhere.jsonl: No such file" in str(result.exception)


def _stream(folder: Path, posts: int, **fields: str) -> Path:
    """A file of complaints, but for one text that may be anything."""
    texts = ["ok"] + [f"My parcel {number} is broken and nobody answers me!" for number in range(posts - 1)]
    file = folder / "stream.jsonl"
    file.write_text("".join(f"{json.dumps({'text': text, **fields})}\n" for text in texts))
    return file


@pytest.mark.parametrize(("fields", "stream"), [({"network": "x"}, "x (microblog)"), ({}, "no network (any venue)")])
def test_what_a_file_usually_holds_is_learnt_and_weighs(tmp_path: Path, fields: dict[str, str], stream: str) -> None:
    file = _stream(tmp_path, 200, **fields)
    alone, weighed = (_run(str(file), "--json", *options) for options in ((), ("--learn-mix",)))
    before, after = (json.loads(result.stdout.splitlines()[0]) for result in (alone, weighed))
    assert (before["mix"], "learnt" in alone.stderr) == (None, False)
    assert after["mix"]["complaint"] > 0.6
    assert after["probabilities"]["complaint"] > before["probabilities"]["complaint"]
    assert f"{stream}: learnt from 200 posts" in weighed.stderr


def test_from_few_posts_no_mix_is_learnt(tmp_path: Path) -> None:
    result = _run(str(_stream(tmp_path, 199, network="x")), "--json", "--learn-mix")
    assert {json.loads(line)["mix"] for line in result.stdout.splitlines()} == {None}
    assert "199 posts are too few to learn a mix from, 200 are needed" in result.stderr


def test_a_mix_cannot_be_learnt_from_what_is_read_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for once in ("-", str(tmp_path / "pipe")):
        result = _run(once, "--learn-mix", given=PARCEL)
        assert isinstance(result.exception, CommandError)
        assert "give a file" in str(result.exception)


def _mix(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["classifier", "mix", *map(str, arguments)])


def test_the_mix_of_a_file_goes_into_rules_as_it_is_printed(tmp_path: Path) -> None:
    file = _stream(tmp_path, 250, network="x")
    with file.open("a") as more:
        more.write('{"text": "hello", "network": "telegram"}\n{"text": "hello"}\nno json\n')
    result = _mix(file)
    printed = result.stdout
    rules = load_rules(f"calendar: always\ndefault: {{queue: q}}\n{printed}".encode(), "acme.yaml")
    assert list(rules.mixes) == [Stream("x", Venue.MICROBLOG)]
    assert "telegram (chat): 1 posts are too few" in printed
    assert isinstance(result.exception, CommandError)
    assert "1 of its first lines hold no text" in str(result.exception)
    as_json = _mix(file, "--json").stdout.splitlines()
    told = {row["network"]: (row["posts"], row["mix"] is None) for row in map(json.loads, as_json)}
    assert told == {"x": (250, False), "telegram": (1, True), None: (1, True)}


def test_rules_without_a_stream_that_is_long_enough_get_a_comment(tmp_path: Path) -> None:
    printed = _mix(_stream(tmp_path, 3, network="x")).stdout
    assert all(line.lstrip().startswith("#") for line in printed.splitlines())


def test_what_no_network_is_told_of_cannot_stand_in_rules(tmp_path: Path) -> None:
    printed = _mix(_stream(tmp_path, 200)).stdout
    assert "no network (any venue): learnt from 200 posts" in printed
    assert all(line.lstrip().startswith("#") for line in printed.splitlines())


@pytest.mark.parametrize("network", ["a: b", "#x", "{x}", "*a", "%x", " x", "x\nmix: []", "x\x1b[2J", "n" * 65])
def test_what_no_network_is_called_cannot_stand_in_rules(tmp_path: Path, network: str) -> None:
    printed = _mix(_stream(tmp_path, 200, network=network)).stdout
    assert "learnt from 200 posts" in printed
    assert [line for line in printed.splitlines() if not line.lstrip().startswith("#") or "\x1b" in line] == []


@pytest.mark.parametrize("network", ["no", "null", "n1", "n" * 64])
def test_names_that_yaml_takes_for_something_else_are_networks(tmp_path: Path, network: str) -> None:
    printed = _mix(_stream(tmp_path, 200, network=network)).stdout
    rules = load_rules(f"calendar: always\ndefault: {{queue: q}}\n{printed}".encode(), "acme.yaml")
    assert list(rules.mixes) == [Stream(network)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "posts.jsonl is empty: give a file with a text in each line"),
        (b'{"body": "hello"}\n' * 250, "250 of its first lines hold no text"),
        (bytes(range(256)), "hold no text"),
    ],
)
def test_a_file_without_texts_is_no_file_without_a_mix(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_bytes(content)
    result = _mix(file)
    assert isinstance(result.exception, CommandError)
    assert ("mix" in result.stdout, problem in str(result.exception)) == (False, True)


def test_of_a_long_text_no_more_is_kept_than_counts(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("x" * 100_000)
    [text] = texts.first_texts(str(tmp_path / "long.txt")).texts
    assert len(text.text) < 10_000
