"""Conditions: what is wrong with one is told before any post is asked about, and none takes long."""

import subprocess
import sys
from collections.abc import Callable
from random import Random
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.rules.asking import Conditions
from services.routing.rules.conditions import MAX_CHARACTERS, check, reads_of
from services.routing.rules.costs import MAX_LOOPED_ITEMS, pattern_size
from services.routing.rules.variables import BY_NAME, FIELDS, TEXT_MAX_CHARACTERS
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
        ("post.rating <= 2", (1, 13), "write 2.0 beside a field of type double"),
        ("post.followers > 1000.5", (1, 16), "and 2 beside one of type int"),
        ("post.followers", (1, 1), "is int and must be true or false"),
        ("dyn(true)", (1, 1), "is dyn and must be true or false"),
        ("classification.category == 'complain'", (1, 28), "is never 'complain'; there are complaint, feedback"),
        ("'urgent' == classification.urgency.level", (1, 1), "is never 'urgent'; there are critical"),
        ("post.kind in ['chat', 'reviews']", (1, 23), "is never 'reviews'"),
        ("'refundz' in classification.topics", (1, 1), "is never 'refundz'; there are account"),
        ("'cash' in classification.urgency.reasons", (1, 1), "is never 'cash'; there are money"),
        ("dyn(post).netwrk == 'x'", (1, 5), "post stands alone here; name one of followers, integration"),
        ("{'a': classification.urgency} != {}", (1, 21), "classification.urgency stands alone here; name one of level"),
        ("post.text.matches('(')", (1, 19), "is no regular expression"),
        ("post.text.matches(post.network)", (1, 23), "written out, in quotes"),
        ("[1].exists(a, [2].exists(b, a == b))", (1, 11), "within a loop"),
        ("[1].map(a, a).exists(a, a == 1)", (1, 21), "over what another one made"),
        ("[1].exists(a, post.text.matches('a'))", (1, 11), "has matches() within a loop"),
        (f"[{'1,' * 50}1].exists(a, a == 2)", (1, 111), "has lists of 51 items in a loop and may have 50"),
        ("[1].exists(a, a in [1,2].map(b, b))", (1, 11), "within a loop"),
        ("post.text + post.network == 'x'", (1, 11), "+ joins texts or lists here: compare each by itself"),
        ("['a'].exists(a, a + a == 'aa')", (1, 19), "+ joins texts or lists"),
        ("[dyn(1)].exists(a, a + a == 1)", (1, 22), "+ joins texts or lists"),
        ("(classification.topics + ['a']).size() > 1", (1, 24), "+ joins texts or lists"),
        ("post.text.matches('(x.{0,200}y){4}z')", (1, 19), "steps here where 600 may be: write .*"),
        ("(" * 40 + "true" + ")" * 40, (1, 1), "make it simpler"),
        ("+".join(["1"] * 200) + " > 1", (1, 1), "make it s"),
        ("true" + " " * 1000, (1, 1), "has 1,004 characters and may have 1,000"),
    ],
)
def test_a_bad_condition_is_refused(condition: str, place: tuple[int, int], told: str) -> None:
    [fault] = check(condition)
    assert (fault.line, fault.column) == place
    assert told in fault.message


def test_a_message_of_the_types_is_refused() -> None:
    """The conditions are checked against it and asked without it."""
    assert check("ascolto.rules.Post{}.followers > 0")[0].message.startswith("ascolto.rules.Post is not known here")


@pytest.mark.parametrize(
    "condition",
    [
        "classification.probability >= 0.5 && classification.decision == 'assigned'",
        "classification.topics.exists(topic, topic.startsWith('deliver'))",
        "has(post.rating) ? post.rating < 3.0 : post.reply",
        "post.text.matches('(?i)recall') // a word",
        "post.network in ['x', 'mastodon'] || post.language == 'it'",
        "['refund', 'money back'].exists(word, post.text.contains(word))",
        "classification.topics.filter(topic, topic != 'app').size() + 1 > 2",
        r"post.text.matches(r'\\b[A-Z]{2}\\d{2}[A-Z0-9]{11,30}\\b')",
        r"post.text.matches('(?i)(refund|money back).{0,40}(now|today)')",
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


@given(st.text(max_size=300))
def test_any_text_is_judged(condition: str) -> None:
    assert isinstance(check(condition), list)


SHORT_OF_MEMORY = """
import resource, sys
from services.routing.rules.asking import Conditions
from tests.factories import make_classification, make_post

conditions = Conditions([sys.argv[1], "post.text.size() == 10000"])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000, resource.RLIM_INFINITY))
print(conditions.in_order(conditions.ask(make_classification(), make_post(text="a" * 10_000))))
"""
DEEP = [
    pytest.param(lambda depth: "(" * depth + "true" + ")" * depth, id="parentheses"),
    pytest.param(lambda depth: "!(" * depth + "true" + ")" * depth, id="negations"),
    pytest.param(lambda depth: "+".join(["1"] * depth) + " > 1", id="terms"),
    pytest.param(lambda depth: "post.reply ? true : " * depth + "false", id="ternary"),
    pytest.param(lambda depth: "(post.reply||" * depth + "true" + ")" * depth, id="or"),
    pytest.param(lambda depth: "[" * depth + "]" * depth + " == []", id="lists"),
]


@pytest.mark.parametrize("nested", DEEP)
def test_however_deep_a_condition_it_is_refused_or_can_be_asked(nested: Callable[[int], str]) -> None:
    accepted = [condition for condition in map(nested, range(1, 36)) if not check(condition)]
    conditions = Conditions([*accepted, "true"])
    answers = conditions.in_order(conditions.ask(make_classification(), make_post()))
    assert 0 < len(accepted) < 35
    assert all(isinstance(answer, bool) for answer in answers)


def test_what_cannot_be_asked_together_is_asked_alone() -> None:
    too_deep_among_others = "(" * 31 + "true" + ")" * 31
    assert check(too_deep_among_others)
    conditions = Conditions(["post.reply", too_deep_among_others])
    assert conditions.in_order(conditions.ask(make_classification(), make_post())) == (False, True)


def test_a_condition_that_needs_more_memory_than_there_is_cannot_be_told() -> None:
    """Such a one is refused; should another one get through, it must not end the process. Tried in one of its own."""
    doubled = "[post.text]" + ".map(a, a + a)" * 17 + ".exists(a, a.size() < 0)"
    assert check(doubled)
    ended = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY, doubled], capture_output=True, text=True, check=False, timeout=120
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "('std::bad_alloc', True)"), ended.stderr


@pytest.mark.parametrize(
    ("pattern", "size"),
    [
        ("abc", 3),
        ("a{3}", 3),
        ("(ab){2,4}", 8),
        ("((ab){2}c){3,}", 20),
        ("x.{0,50}", 501),
        (r"\.\d", 12),
        ("[^]a]", 15),
        (r"\pL{3}", 150),
        (r"\Q({9}\E", 8),
        ("a){2", 4),
    ],
)
def test_the_size_of_a_regular_expression_is_that_of_its_repetitions_written_out(pattern: str, size: int) -> None:
    assert pattern_size(pattern) == size


def _looped(question: str) -> str:
    """A loop over as many items as there may be, in which as often as there is room the same is asked."""
    head = f"[{','.join(['1'] * MAX_LOOPED_ITEMS)}].exists(a, "
    return head + "||".join([question] * ((MAX_CHARACTERS - len(head) - 1) // (len(question) + 2))) + ")"


@pytest.mark.parametrize(
    ("condition", "characters"),
    [
        (_looped("post.text.contains('ab')"), "a"),
        (_looped("post.text.contains('aaaaaaaab')"), "a"),
        (_looped("post.text.size() < 0"), "é"),
        (_looped("size(string(bytes(post.text))) < 0"), "é"),
        (_looped("duration(post.text) < duration('1s')"), "1h"),
        ("post.text.matches('x.{58}z')", "x😀"),
        ("post.text.matches('x.{0,29}y.{0,27}z')", "xy"),
        (f"post.text.matches('x{'(x|y)?' * 110}z')", "xy"),
        ("post.text.matches('x((x|y){30}){6}z')", "xy"),
        (r"post.text.matches(r'x\pL{11}z')", "xé"),
    ],
)
def test_the_costliest_conditions_that_we_could_build_are_told(condition: str, characters: str) -> None:
    """Each takes some tenths of a second; those that are refused above took many seconds, or all memory."""
    assert check(condition) == []
    text = "".join(Random(1).choices(characters, k=TEXT_MAX_CHARACTERS))
    conditions = Conditions([condition])
    began = perf_counter()
    conditions.ask(make_classification(), make_post(text=text))
    assert perf_counter() - began < 10


def test_the_text_that_a_condition_sees_is_bounded() -> None:
    conditions = Conditions(["post.text.size() == 10000"])
    answers = conditions.ask(make_classification(pb.CATEGORY_COMPLAINT), make_post(text="a" * 20_000))
    assert conditions.in_order(answers) == (True,)
