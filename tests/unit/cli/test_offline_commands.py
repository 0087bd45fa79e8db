"""The commands that need no server: what they print, and how they end on bad input."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.errors import CommandError

ROOT = Path(__file__).parents[3]


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def _lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def _file(folder: Path, *rows: str) -> str:
    file = folder / "rows.jsonl"
    file.write_text("".join(f"{row}\n" for row in rows))
    return str(file)


def test_classify_answers_one_line_a_row(tmp_path: Path) -> None:
    file = _file(tmp_path, '{"text": "Where is my parcel?", "lang": "en"}', '{"text": ""}')
    lines = _lines(_run("classify", file))
    assert [sorted(line) for line in lines] == [
        ["abstained", "category", "language", "model", "probabilities", "reasons"]
    ] * 2
    assert lines[0]["category"] == "question"


def test_probabilities_sum_to_one(tmp_path: Path) -> None:
    [line] = _lines(_run("classify", _file(tmp_path, '{"text": "My lamp is broken again"}'), "--json"))
    assert sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("row", "named"),
    [("{", "JSON"), ('{"text": 3}', "text"), ("[]", "text"), ('{"text": "a", "lang": 7}', "lang")],
)
def test_a_bad_row_is_answered_named_and_counted(tmp_path: Path, row: str, named: str) -> None:
    result = _run("classify", _file(tmp_path, row, '{"text": "Thanks!"}'))
    lines = _lines(result)
    assert len(lines) == 2
    assert named in lines[0]["error"]
    assert isinstance(result.exception, CommandError)
    assert "1 row" in str(result.exception)


def test_a_missing_file_says_so() -> None:
    result = _run("classify", "/nowhere.jsonl")
    assert isinstance(result.exception, CommandError)
    assert "/nowhere.jsonl: No such file" in str(result.exception)


def test_normalize_prints_posts_and_reasons(tmp_path: Path) -> None:
    good = '{"network": "x", "kind": "review", "native_id": "1", "author": {"id": "a"}, "text": "Hi"}'
    lines = _lines(_run("normalize", "jsonl", _file(tmp_path, good, '{"network": "x"}')))
    assert lines[0]["post"]["utterance"]["text"] == "Hi"
    assert (lines[1]["line"], lines[1]["ignored"]) == (2, "INVALID")
    assert lines[1]["detail"].startswith("kind: ")


def test_normalize_reads_a_standard_webhook(tmp_path: Path) -> None:
    file = tmp_path / "hook.json"
    data = {"kind": "public_post", "native_id": "1", "author": {"id": "a"}, "text": "Hi"}
    file.write_text(json.dumps({"type": "post.created", "timestamp": "2026-11-01T00:00:00Z", "data": data}))
    [line] = _lines(_run("normalize", "standard_webhooks", str(file)))
    assert line["change"] == "CHANGE_CREATED"


def test_normalize_names_its_readers() -> None:
    assert "standard_webhooks" in str(_run("normalize", "carrier_pigeon", "x").exception)


def test_every_sample_is_normalized() -> None:
    lines = _lines(_run("normalize", "jsonl", str(ROOT / "samples" / "conversations.jsonl")))
    assert len(lines) > 300
    assert not [line for line in lines if "ignored" in line]
