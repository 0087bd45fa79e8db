"""Stage 3 without a network: what it is told, what it may answer, when it is left alone, how it is configured."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.routing import judgement
from services.routing.judgement import CATEGORY_OF, Category, Kind, Text
from services.routing.language_model.answer import MAX_REASON_CHARACTERS, Answer, Invalid, read_answer
from services.routing.language_model.cache import Answers
from services.routing.language_model.prompt import CATEGORIES, system_prompt, user_prompt
from services.routing.language_model.restraint import LONGEST_PAUSE_SECONDS, Budget, Circuit
from services.routing.language_model.settings import LanguageModelSettings

GOOD = {"category": "complaint", "kind": "bug_report", "confidence": 0.9, "reason": "The app crashes."}
ANSWER = Answer(category=Category.OTHER, kind=Kind.CHATTER, confidence=1, reason="")


class Clock:
    """Runs forward where the test says so."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def _completion(content: Any) -> bytes:
    return json.dumps({"id": "1", "choices": [{"message": {"role": "assistant", "content": content}}]}).encode()


def test_the_definitions_are_those_of_the_judgement() -> None:
    tree = ast.parse(Path(judgement.__file__).read_text())
    [body] = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Category"]
    values = [node.value for node in body[1:] if isinstance(node, ast.Assign | ast.Expr)]
    said = {value.value for value in values if isinstance(value, ast.Constant)}
    assert said == {*CATEGORIES.values(), *(category.value for category in Category)}


def test_the_model_is_told_every_kind_but_the_brands_own() -> None:
    words = set(re.findall(r"\w+", system_prompt()))
    assert [kind for kind in Kind if kind.value not in words] == [Kind.OWN]


@given(st.text(st.characters(exclude_categories=())))
def test_no_text_ends_the_string_that_it_stands_in(text: str) -> None:
    told = json.loads(user_prompt(Text(text, network="x")))
    assert told.keys() == {"post", "network"}
    assert len(user_prompt(Text(text)).splitlines()) == 1


def test_handles_and_addresses_of_people_are_not_sent() -> None:
    assert json.loads(user_prompt(Text("ciao @anna,\nwrite to a.b@example.com!")))["post"] == (
        "ciao @somebody\nwrite to @somebody"
    )


def test_a_good_answer_is_read() -> None:
    answer = read_answer(_completion(json.dumps(GOOD)))
    assert (answer.category, answer.kind, answer.confidence) == (Category.COMPLAINT, Kind.BUG_REPORT, 0.9)


@pytest.mark.parametrize(
    "changed",
    [
        {"category": "urgent"},
        {"category": "question"},
        {"kind": "own", "category": "other"},
        {"kind": "bug"},
        {"confidence": 1.01},
        {"confidence": -0.1},
        {"confidence": "0.9"},
        {"confidence": True},
        {"confidence": float("nan")},
        {"reason": None},
        {"reason": "x" * 3_000},
        {"note": "one more"},
    ],
)
def test_an_answer_outside_the_schema_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read_answer(_completion(json.dumps(GOOD | changed)))


@pytest.mark.parametrize("missing", list(GOOD))
def test_an_answer_that_lacks_a_member_is_none(missing: str) -> None:
    with pytest.raises(Invalid):
        read_answer(_completion(json.dumps({name: value for name, value in GOOD.items() if name != missing})))


@given(st.binary() | st.text().map(_completion) | st.sampled_from([b"{}", b"[]", b'{"choices":[]}', _completion(None)]))
def test_garbage_is_no_answer(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_answer(body)


@given(st.text(max_size=2_000))
def test_a_reason_is_short_and_of_one_printable_line(reason: str) -> None:
    shown = ANSWER.model_copy(update={"reason": reason}).shown_reason()
    assert len(shown) <= MAX_REASON_CHARACTERS
    assert shown.isprintable()


def test_every_kind_can_be_answered_with_its_category_alone() -> None:
    for kind, category in CATEGORY_OF.items():
        if kind is not Kind.OWN:
            assert Answer(category=category, kind=kind, confidence=1, reason="").kind is kind


def test_failures_in_a_row_open_the_circuit_for_a_while() -> None:
    clock = Clock()
    circuit = Circuit(failures=3, pause_seconds=60, clock=clock)
    assert [circuit.failed(), circuit.failed(), circuit.is_open()] == [False, False, False]
    assert circuit.failed()
    assert circuit.is_open()
    clock.now += 61
    assert not circuit.is_open()
    assert circuit.failed()


def test_a_success_starts_the_count_anew() -> None:
    circuit = Circuit(failures=2, pause_seconds=60)
    for _ in range(3):
        circuit.failed()
        circuit.succeeded()
    assert not circuit.failed()


@pytest.mark.parametrize(("wanted", "paused"), [(1.0, 60.0), (90.0, 90.0), (1e9, LONGEST_PAUSE_SECONDS)])
def test_a_pause_that_the_other_side_wants_is_kept_within_reason(wanted: float, paused: float) -> None:
    clock = Clock()
    circuit = Circuit(failures=5, pause_seconds=60, clock=clock)
    circuit.failed(wanted)
    clock.now += paused - 0.5
    assert circuit.is_open()
    clock.now += 1
    assert not circuit.is_open()


def test_a_budget_is_earned_by_the_minute_and_not_saved_beyond_one() -> None:
    clock = Clock()
    budget = Budget(calls_per_minute=3, clock=clock)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 20
    assert [budget.take() for _ in range(2)] == [True, False]
    clock.now += 3_600
    assert [budget.take() for _ in range(4)] == [True, True, True, False]


def test_the_answers_that_were_not_used_for_longest_are_forgotten() -> None:
    answers = Answers(max_answers=2)
    answers.put(b"a", ANSWER)
    answers.put(b"b", ANSWER)
    answers.get(b"a")
    answers.put(b"c", ANSWER)
    assert [answers.get(key) for key in (b"a", b"b", b"c")] == [ANSWER, None, ANSWER]


@pytest.mark.parametrize(
    "url", ["https://models.example/v1", "https://10.0.0.7/v1", "http://127.0.0.1:8000", "http://localhost/v1"]
)
def test_the_operator_names_any_host_that_is_encrypted_or_this_machine(url: str) -> None:
    assert LanguageModelSettings(url=url, model="m").url == url


@pytest.mark.parametrize("url", ["http://models.example/v1", "http://10.0.0.7", "models.example", "ftp://a/b"])
def test_posts_are_not_sent_in_the_clear(url: str) -> None:
    with pytest.raises(ValidationError):
        LanguageModelSettings(url=url, model="m")


def test_a_model_needs_its_name_and_is_off_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LanguageModelSettings().url is None
    monkeypatch.setenv("ROUTING_LLM_URL", "https://models.example/v1")
    with pytest.raises(ValidationError, match="ROUTING_LLM_MODEL"):
        LanguageModelSettings()


def test_the_key_is_not_shown() -> None:
    assert "hush" not in repr(LanguageModelSettings(url="https://a/", model="m", api_key="hush"))  # type: ignore[arg-type]
