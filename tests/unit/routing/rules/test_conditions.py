"""Conditions: what is wrong with one is told before any post is asked about, and none takes long."""

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.rules.asking import Conditions
from services.routing.rules.conditions import check, reads_of
from services.routing.rules.variables import BY_NAME, FIELDS
from tests.factories import make_classification, make_post


@pytest.mark.parametrize(
    ("condition", "place", "told"),
    [
        ("post.network ==", (1, 16), "Syntax error"),
        ("post.netwrk == 'x'", (1, 5), "post has no field netwrk; there are followers, integration, kind"),
        (
            "classification.urgency.lvl == 'x'",
            (1, 23),
            "classification.urgency has no field lvl; there are level, reasons",
        ),
        ("true &&\n pots.network == 'x'", (2, 6), "pots.network is not known here"),
        ("now() > 1", (1, 4), "now is not known here"),
        ("post.followers > 'many'", (1, 16), "> does not work on (int, string)"),
        ("post.rating <= 2", (1, 13), "write 2.0 and not 2"),
        ("post.followers", (1, 1), "is int and must be true or false"),
        ("dyn(true)", (1, 1), "is dyn and must be true or false"),
        ("classification.category == 'complain'", (1, 28), "is never 'complain'; there are complaint, feedback"),
        ("'urgent' == classification.urgency.level", (1, 1), "is never 'urgent'; there are critical"),
        ("post.kind in ['chat', 'reviews']", (1, 23), "is never 'reviews'"),
        ("'cash' in classification.urgency.reasons", (1, 1), "is never 'cash'; there are money"),
        ("dyn(post).netwrk == 'x'", (1, 5), "post stands alone here; name one of followers, integration"),
        ("{'a': classification.urgency} != {}", (1, 21), "classification.urgency stands alone here; name one of level"),
        ("post.text.matches('(')", (1, 19), "is no regular expression"),
        ("post.text.matches(post.network)", (1, 23), "written out, in quotes"),
        ("[1].exists(a, [2].exists(b, a == b))", (1, 1), "within a loop"),
        ("(" * 40 + "true" + ")" * 40, (1, 1), "make it simpler"),
        ("+".join(["1"] * 200) + " > 1", (1, 1), "make it s"),
        ("true" + " " * 1000, (1, 1), "has 1,004 characters and may have 1,000"),
    ],
)
def test_a_bad_condition_is_refused(condition: str, place: tuple[int, int], told: str) -> None:
    [fault] = check(condition)
    assert (fault.line, fault.column) == place
    assert told in fault.message


@pytest.mark.parametrize(
    "condition",
    [
        "classification.probability >= 0.5 && classification.decision == 'assigned'",
        "classification.topics.exists(topic, topic.startsWith('deliver'))",
        "has(post.rating) ? post.rating < 3.0 : post.reply",
        "post.text.matches('(?i)recall') // a word",
        "post.network in ['x', 'mastodon'] || post.language == 'it'",
    ],
)
def test_a_good_condition_is_accepted(condition: str) -> None:
    assert check(condition) == []


def test_every_field_can_be_read() -> None:
    for name, field in BY_NAME.items():
        compared = {"string": f"{name} == ''", "strings": f"size({name}) == 0", "bool": name}
        condition = compared.get(field.type, f"{name} > {'1' if field.type == 'int' else '1.0'}")
        wordless = condition if not field.words or field.type == "strings" else f"size({name}) == 0"
        assert check(wordless) == []
        assert reads_of(wordless).fields == {name}


def test_the_words_are_those_of_the_contracts() -> None:
    assert FIELDS["classification"]["category"].words == {"question", "complaint", "feedback", "other"}
    assert FIELDS["classification.urgency"]["level"].words == {"normal", "raised", "high", "critical"}


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_judged(condition: str) -> None:
    assert isinstance(check(condition), list)


def test_the_costliest_condition_that_is_accepted_is_soon_told() -> None:
    numbers = ",".join(["1"] * 400)
    condition = f"[{numbers}].exists(a, (post.text + post.text).size() < 0)"
    assert check(condition) == []
    conditions = Conditions([condition] * 20)
    began = perf_counter()
    conditions.ask(make_classification(), make_post(text="a" * 100_000))
    assert perf_counter() - began < 5


def test_the_text_that_a_condition_sees_is_bounded() -> None:
    conditions = Conditions(["post.text.size() == 10000"])
    answers = conditions.ask(make_classification(pb.CATEGORY_COMPLAINT), make_post(text="a" * 20_000))
    assert conditions.in_order(answers) == (True,)
