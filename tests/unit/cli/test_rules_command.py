"""`ascolto rules`: what it prints, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.errors import CommandError
from tests.unit.routing.rules.rulings import file_of, rule_of

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "config" / "rules" / "lumora.yaml"
RULES = file_of(
    rule_of('classification.category == "question"', "queue: questions, respond_within: 2h", "questions"),
    rule_of("post.followers > 1000", "priority: high", "seen"),
    rule_of("true", "team: all", "last", stop=True),
    rule_of("true", "team: none", "never"),
)


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, arguments)])


def _tried(folder: Path, *rows: object, options: tuple[str, ...] = ("--json",)) -> Result:
    file, against = folder / "acme.yaml", folder / "posts.jsonl"
    file.write_text(RULES)
    against.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return _run("test", file, "--against", against, *options)


def _lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    "folder", ["config/rules", "deploy/k8s/overlays/local/rules", "deploy/k8s/overlays/production/rules"]
)
def test_what_ships_is_good(folder: str) -> None:
    assert _run("check", ROOT / folder).exit_code == 0


def test_check_names_every_problem_and_ends_with_1(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text("calendar: always\ndefault: {prio: high}\n")
    result = _run("check", file, "--json")
    assert [(each["line"], each["column"], each["field"]) for each in _lines(result)] == [
        (2, 10, "default"),
        (2, 11, "default.prio"),
    ]
    assert isinstance(result.exception, CommandError)
    assert result.exception.exit_code == 1


def test_check_wants_files_that_are_called_as_tenants_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "My Rules.yaml").write_text(RULES)
    assert _run("check", tmp_path / "My Rules.yaml").exit_code == 0
    [problem] = _lines(_run("check", tmp_path, "--json"))
    assert problem["message"] == "must be called as its tenant, as in acme.yaml"


def test_check_goes_on_where_a_file_of_a_folder_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").mkdir()
    (tmp_path / "zeta.yaml").write_text("calendar: always\n")
    result = _run("check", tmp_path, "--json")
    assert [Path(each["file"]).name for each in _lines(result)] == ["acme.yaml", "zeta.yaml"]
    assert "cannot be read: Is a directory" in result.stdout


def test_test_tells_of_each_rule_whether_it_fired_and_why_not(tmp_path: Path) -> None:
    [shown] = _lines(_tried(tmp_path, {"text": "Where is my parcel?", "create_time": "2026-11-23T09:00:00Z"}))
    assert [(rule["name"], rule["outcome"]) for rule in shown["rules"]] == [
        ("questions", "fired"),
        ("seen", "failed"),
        ("last", "fired"),
        ("never", "not_reached"),
    ]
    assert "followers" in shown["rules"][1]["reason"]
    assert shown["handling"]["respond_by"] == "2026-11-23T11:00:00Z"
    assert shown["classification"]["category"] == "CATEGORY_QUESTION"
    assert shown["rules"][0]["read"] == {"classification.category": "question"}
    assert shown["set_by"] == {"queue": "questions", "respond_within": "questions", "team": "last"}


def test_test_is_read_by_people_too(tmp_path: Path) -> None:
    result = _tried(tmp_path, {"text": "Where is my parcel?", "followers": 5}, options=("--at", "2026-11-23T09:00:00"))
    assert "✓ questions: fired: classification.category" in result.stdout
    assert "· seen: not_fired: post.followers > 1000 (post.followers=5)" in result.stdout
    assert "queue by questions, respond_within by questions, team by last" in result.stdout
    assert "→ queue questions, team all, priority normal, respond by Mon 2026-11-23 11:00 UTC" in result.stdout


@pytest.mark.parametrize(
    ("at", "respond_by"),
    [("2026-11-23T09:00:00", "11:00:00Z"), ("2026-11-23T09:00:00+01:00", "10:00:00Z"), ("2026-11-23", "02:00:00Z")],
)
def test_posts_count_as_heard_when_it_is_said(tmp_path: Path, at: str, respond_by: str) -> None:
    [shown] = _lines(_tried(tmp_path, {"text": "Where is my parcel?"}, options=("--json", "--at", at)))
    assert shown["handling"]["respond_by"] == f"2026-11-23T{respond_by}"


def test_test_reads_what_normalize_prints(tmp_path: Path) -> None:
    payload = tmp_path / "rows.jsonl"
    payload.write_text(
        '{"network": "x", "kind": "public_post", "native_id": "1", "author": {"id": "a"}, "text": "Hi",'
        ' "followers": 2000}'
    )
    printed = CliRunner().invoke(app, ["normalize", "jsonl", str(payload)]).stdout.strip()
    [shown] = _lines(_tried(tmp_path, printed))
    assert [rule["name"] for rule in shown["rules"] if rule["outcome"] == "fired"][-2:] == ["seen", "last"]


def test_nothing_is_to_be_done_about_own_posts(tmp_path: Path) -> None:
    [shown] = _lines(_tried(tmp_path, {"text": "Hello", "own": True}))
    assert "handling" not in shown


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{", "this is no JSON"),
        ("[]", "this is no JSON object"),
        ({"network": "x"}, "text: must be there"),
        ({"text": 3}, "text: must be text"),
        ({"text": "a", "kind": "letter"}, "kind: 'letter' is none; there are public_post"),
        ({"text": "a", "followers": "many"}, "followers"),
        ({"post": {"revision": "x"}}, "revision"),
        ({"text": "a", "create_time": "yesterday"}, "create_time: must be a time"),
        ({"text": "a", "create_time": "9999-12-31T23:00:00Z"}, "must lie before the year 9990"),
    ],
)
def test_a_bad_line_is_named_and_the_others_go_on(tmp_path: Path, row: object, told: str) -> None:
    result = _tried(tmp_path, row, {"text": "Thanks!"})
    bad, good = _lines(result)
    assert told in bad["error"]
    assert good["handling"]["team"] == "all"
    assert isinstance(result.exception, CommandError)


def test_test_refuses_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text("calendar: always")
    result = _run("test", tmp_path / "acme.yaml", "--against", SAMPLE)
    assert "acme.yaml:1:1: default: must be there" in str(result.exception)
    assert "No such file" in str(_run("test", "/nowhere.yaml", "--against", SAMPLE).exception)


def test_the_sample_sorts_the_sample_conversations() -> None:
    shown = _lines(_run("test", SAMPLE, "--against", ROOT / "samples" / "conversations.jsonl", "--json"))
    queues = {row["handling"]["queue"] for row in shown if "handling" in row}
    assert {"questions", "complaints", "praise", "triage", "chat"} <= queues


def test_the_mix_of_the_file_weighs_what_is_tried(tmp_path: Path) -> None:
    row = {"text": "ok", "network": "x"}
    [alone] = _lines(_tried(tmp_path, row))
    mix = "mix: [{network: x, venue: microblog, question: 0.01, complaint: 0.01, feedback: 0.97, other: 0.01}]\n"
    (tmp_path / "acme.yaml").write_text(RULES + mix)
    [weighed] = _lines(_run("test", tmp_path / "acme.yaml", "--against", tmp_path / "posts.jsonl", "--json"))
    assert "mix" not in alone["classification"]
    assert [each["probability"] for each in weighed["classification"]["mix"]] == [0.01, 0.01, 0.97, 0.01]
    assert _feedback(weighed) > _feedback(alone)


def _feedback(line: dict[str, Any]) -> float:
    shares = {each["category"]: float(each["probability"]) for each in line["classification"]["probabilities"]}
    return shares["CATEGORY_FEEDBACK"]
