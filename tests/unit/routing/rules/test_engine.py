"""What rules make of posts."""

from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from services.routing.rules.engine import DEFAULT, Engine, set_by
from tests.factories import make_classification, make_post
from tests.unit.routing.rules.rulings import HEARD_AT, complaint, engine_of, post_of, rule_of

OFFICE = "{time_zone: Europe/Rome, hours: {monday: 09:00-18:00, tuesday: 09:00-18:00}}"


def _handling(engine: Engine, classification: pb.Classification, post: posts.Post) -> pb.Handling:
    return engine.rule(classification, post, HEARD_AT).handling


def test_what_no_rule_sorts_gets_the_default() -> None:
    engine = engine_of(rule_of("false", "queue: never"), default="{queue: general, team: front}")
    assert _handling(engine, complaint(), make_post()) == pb.Handling(
        queue="general", team="front", priority=pb.PRIORITY_NORMAL
    )


def test_later_rules_override_field_by_field() -> None:
    engine = engine_of(
        rule_of("true", "queue: first, team: one, skills: [x], priority: low, answer: false", "first"),
        rule_of("true", "queue: second, team: none, answer: true", "second"),
    )
    assert _handling(engine, complaint(), make_post()) == pb.Handling(
        queue="second", priority=pb.PRIORITY_LOW, skills=["x"], rules=["first", "second"]
    )


def test_a_rule_that_stops_ends_it() -> None:
    engine = engine_of(
        rule_of("false", "queue: one", "one", stop=True),
        rule_of("true", "queue: two, answer: false", "two", stop=True),
        rule_of("true", "queue: three", "three"),
    )
    ruling = engine.rule(complaint(), make_post(), HEARD_AT)
    assert (list(ruling.handling.rules), ruling.handling.queue, ruling.reached) == (["two"], "two", 2)
    assert ruling.handling.answer_not_due


def test_deadlines_count_in_business_hours_from_when_the_post_was_heard() -> None:
    engine = engine_of(default="{queue: q, respond_within: 8h, resolve_within: 1d}", calendar=OFFICE)
    handling = _handling(engine, complaint(), make_post())
    assert handling.respond_by.ToDatetime(UTC) == HEARD_AT + timedelta(hours=23)
    assert handling.resolve_by.ToDatetime(UTC) == HEARD_AT + timedelta(days=1)


def test_a_rule_may_count_around_the_clock_or_take_a_deadline_away() -> None:
    engine = engine_of(
        rule_of("post.reply", "respond_within: none", "reply"),
        rule_of("true", "resolve_within: 30h, calendar: always", "clock"),
        default="{queue: q, respond_within: 8h}",
        calendar=OFFICE,
    )
    handling = _handling(engine, complaint(), make_post())
    assert handling.respond_by.ToDatetime(UTC) == HEARD_AT + timedelta(hours=8)
    assert handling.resolve_by.ToDatetime(UTC) == HEARD_AT + timedelta(hours=30)
    reply = make_post()
    reply.native_parent_id = "1"
    assert not _handling(engine, complaint(), reply).HasField("respond_by")


@pytest.mark.parametrize(
    ("made", "hint", "skills"),
    [
        ("it", "de", ["it", "x"]),
        (None, "de", ["de", "x"]),
        (None, "en-GB", ["en", "x"]),
        (None, "pt_BR", ["pt", "x"]),
        ("und", "PT", ["pt", "x"]),
        (None, "und", ["x"]),
        (None, None, ["x"]),
        ("x", None, ["x"]),
    ],
)
def test_the_language_of_the_post_is_a_skill(made: str | None, hint: str | None, skills: list[str]) -> None:
    engine = engine_of(default="{queue: q, skills: [$language, x]}")
    classification = make_classification(language=made)
    assert list(_handling(engine, classification, make_post(language=hint)).skills) == skills


@pytest.mark.parametrize(
    ("condition", "fires"),
    [
        ("classification.category == 'complaint' && classification.decision == 'assigned'", True),
        ("classification.kind == 'bug_report'", True),
        ("classification.probability > 0.9 && classification.probability < 0.92", True),
        ("classification.sentiment == 2 && classification.toxicity < 0.5", True),
        ("classification.urgency.level == 'high' && 'money' in classification.urgency.reasons", True),
        ("classification.topics == ['refund', 'delivery']", True),
        ("classification.language == 'en' && post.language == 'en-GB'", True),
        ("post.network == 'x' && post.kind == 'public_post' && post.integration == 'acme-x'", True),
        ("post.followers == 120 && post.rating == 1.5 && !post.reply", True),
        ("!has(post.views) && (has(post.views) || post.text.contains('lamp'))", True),
        ("post.followers > 120", False),
    ],
)
def test_conditions_see_the_post_and_its_classification(condition: str, fires: bool) -> None:  # noqa: FBT001 - what the table says
    classification = complaint(
        kind=pb.KIND_BUG_REPORT,
        sentiment=pb.SENTIMENT_NEGATIVE,
        toxicity=0.1,
        topics=["refund", "delivery"],
        urgency=pb.Urgency(level=pb.URGENCY_LEVEL_HIGH, reasons=[pb.URGENCY_REASON_MONEY]),
    )
    post = post_of(followers=120, rating=1.5, language="en-GB")
    assert engine_of(rule_of(condition, "queue: b")).rule(classification, post, HEARD_AT).answers == (fires,)


@pytest.mark.parametrize("condition", ["post.rating == 4.2", "post.rating >= 4.2", "post.rating <= 4.2"])
def test_numbers_compare_as_they_are_written(condition: str) -> None:
    assert engine_of(rule_of(condition, "queue: b")).rule(complaint(), post_of(rating=4.2), HEARD_AT).answers == (True,)


def test_probabilities_compare_as_they_are_written() -> None:
    shares = [pb.CategoryProbability(category=pb.CATEGORY_COMPLAINT, probability=0.7)]
    classification = pb.Classification(category=pb.CATEGORY_COMPLAINT, probabilities=shares, toxicity=0.1)
    condition = "classification.probability == 0.7 && classification.toxicity == 0.1"
    assert engine_of(rule_of(condition, "queue: b")).rule(classification, make_post(), HEARD_AT).answers == (True,)


def test_it_is_told_which_rule_set_what() -> None:
    engine = engine_of(
        rule_of("true", "queue: one, priority: high", "one"),
        rule_of("true", "queue: two", "two"),
        rule_of("false", "queue: three, team: three", "three"),
        default="{queue: q, skills: [x]}",
    )
    fired = engine.rule(complaint(), make_post(), HEARD_AT).handling.rules
    assert set_by(engine.rules, fired) == {"queue": "two", "priority": "one", "skills": DEFAULT}


def test_a_condition_that_cannot_be_told_does_not_fire_and_holds_up_no_other() -> None:
    engine = engine_of(
        rule_of("post.followers > 10", "queue: many", "many"),
        rule_of("post.followers / (post.followers - 5) > 0", "team: b", "divides"),
        rule_of("post.network == 'x' || post.views > 10", "priority: high", "either"),
    )
    unknown = engine.rule(complaint(), make_post(), HEARD_AT)
    assert [name for name, _ in unknown.untold] == ["many", "divides"]
    assert (unknown.handling.queue, list(unknown.handling.rules)) == ("general", ["either"])
    five = engine.rule(complaint(), post_of(followers=5), HEARD_AT)
    assert [name for name, _ in five.untold] == ["many", "divides"][1:]
    assert list(engine.rule(complaint(), post_of(followers=11), HEARD_AT).handling.rules) == [
        "many",
        "divides",
        "either",
    ]


CONDITIONS = (
    "post.followers > 10",
    "!has(post.followers) || post.followers > 5",
    "post.rating < 3.0 && post.followers < 10",
    "post.text.contains('a') // a word",
    "10 / (post.followers - 5) > 0",
    "post.rating <= 2.0 || classification.category == 'complaint'",
    "classification.category == 'complaint'",
    "classification.probability > 0.5 && post.views > 3",
)


@given(
    st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=60),
    st.lists(
        st.tuples(
            st.none() | st.integers(4, 12),
            st.none() | st.sampled_from([1.0, 4.0]),
            st.sampled_from([pb.CATEGORY_COMPLAINT, pb.CATEGORY_QUESTION]),
            st.sampled_from(["a", "b"]),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_a_condition_answers_the_same_alone_and_among_others_the_first_time_and_later(
    conditions: list[str], asked: list[tuple[int | None, float | None, pb.Category.ValueType, str]]
) -> None:
    together = engine_of(*(rule_of(each, "queue: b", f"r{at}") for at, each in enumerate(conditions)))
    for followers, rating, category, text in asked:
        post, classification = post_of(followers, rating, text=text), make_classification(category)
        alone = [
            engine_of(rule_of(each, "queue: b")).rule(classification, post, HEARD_AT).answers for each in conditions
        ]
        assert [together.rule(classification, post, HEARD_AT).answers] == [tuple(answer for (answer,) in alone)]
