"""The commands that need no server: what they print, and how they end on bad input."""

import json
from pathlib import Path
from typing import Any

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


def test_classify_names_weights_that_are_not_there() -> None:
    result = _run("classify", "-", "--model", "/nonexistent.npz")
    assert isinstance(result.exception, CommandError)
    assert "--model /nonexistent.npz: No such file" in str(result.exception)


def test_every_sample_is_normalized() -> None:
    lines = _lines(_run("normalize", "jsonl", str(ROOT / "samples" / "conversations.jsonl")))
    assert len(lines) > 300
    assert not [line for line in lines if "ignored" in line]
