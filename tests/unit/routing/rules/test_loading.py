"""Files of rules: everything that is wrong is named at once, with its line, its field and what to do."""

from textwrap import dedent

import pytest

from services.routing.judgement import Mix
from services.routing.mix import Stream
from services.routing.rules.calendar import Span, Window
from services.routing.rules.document import MAX_BYTES
from services.routing.rules.loading import load_rules
from services.routing.rules.mix_file import MAX_STREAMS
from services.routing.rules.model import NONE, Setting, TenantRules
from services.routing.rules.problems import Problem, RulesError
from services.routing.venues import Venue

GOOD = """\
calendar:
  time_zone: Europe/Rome
  hours:
    monday: 09:00-18:00
    tuesday: [14:00-18:00, 09:00-13:00]
  holidays: [2026-11-25, 12-25]
default: {queue: general, respond_within: 1d}
rules:
  - name: norwegian
    when: post.language == "no"
    set: {queue: nordic, skills: [no, $language], respond_within: none, team: none, answer: false}
    stop: true
"""
CONDITION = "calendar: always\ndefault: {queue: q}\nrules:\n  - name: a\n    set: {queue: b}\n    when: "


def _load(text: str) -> TenantRules:
    return load_rules(text.encode(), "acme.yaml")


def _problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(RulesError) as refused:
        _load(text)
    return refused.value.problems


def _told(text: str) -> list[str]:
    return [str(problem) for problem in _problems(text)]


def test_a_good_file_is_read() -> None:
    rules = _load(GOOD)
    assert rules.calendar is not None
    assert rules.calendar.hours[1] == (Window(9 * 60, 13 * 60), Window(14 * 60, 18 * 60))
    assert rules.default == Setting(queue="general", respond_within=Span(1))
    [rule] = rules.rules
    assert (rule.name, rule.when, rule.stop) == ("norwegian", 'post.language == "no"', True)
    assert rule.set == Setting("nordic", NONE, None, NONE, skills=("no", "$language"), answer=False)


def test_everything_that_is_wrong_is_named_at_once_in_order() -> None:
    text = dedent(
        """\
        calendar:
          time_zone: Europe/Rom
          hours:
            monday: 09:00-18:00
            tuesday: [09:00-13:00, 12:00-18:00]
            funday: 09:00-10:00
            friday: 18:00-09:00
          holidays: [2026-02-30, 12-25, tomorrow]
        default:
          queue: General Queue
          respond_within: 8 hours
          prio: high
        rules:
          - name: a
            when: classification.categry == "complaint"
            set: {queue: complaints}
          - name: a
            when: |
              post.network == "x" &&
                post.followers > "many"
            set: {priority: huge, skills: de}
            stop: yes
          - when: "post.rating <= 2"
            set: {answer: no}
          - name: b
            when: classification.topics
            set:
        """
    )
    assert [(each.line, each.column, each.field) for each in _problems(text)] == [
        (2, 14, "calendar.time_zone"),
        (5, 14, "calendar.hours.tuesday"),
        (6, 5, "calendar.hours.funday"),
        (7, 13, "calendar.hours.friday"),
        (8, 14, "calendar.holidays[0]"),
        (8, 33, "calendar.holidays[2]"),
        (10, 10, "default.queue"),
        (11, 19, "default.respond_within"),
        (12, 3, "default.prio"),
        (15, 25, "rules[0].when"),
        (17, 11, "rules[1].name"),
        (20, 24, "rules[1].when"),
        (21, 21, "rules[1].set.priority"),
        (21, 35, "rules[1].set.skills"),
        (22, 11, "rules[1].stop"),
        (23, 5, "rules[2]"),
        (23, 24, "rules[2].when"),
        (24, 19, "rules[2].set.answer"),
        (26, 11, "rules[3].when"),
        (27, 9, "rules[3].set"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "acme.yaml:1:1: is empty: give default and rules"),
        ("a: [", "acme.yaml:1:5: is no YAML: while parsing a flow node, expected the node content"),
        ("calendar: always\n\x07", "acme.yaml:2: is no YAML: special characters are not allowed"),
        ("[" * 5000, "acme.yaml: is nested too deeply"),
        ("- 1", "acme.yaml:1:1: must be fields, one a line: calendar, default, rules"),
        ("default: {queue: a}", "acme.yaml:1:1: calendar: must be there: time_zone and hours, or always"),
        ("calendar: always", "acme.yaml:1:1: default: must be there: the queue of posts that no rule sorts"),
        ("calendar: always\ndefault: {team: a}", "acme.yaml:2:10: default: queue: must be there"),
        ("calendar: always\ncalendar: always", "acme.yaml:2:1: calendar: stands here twice; first in line 1"),
        ("!!python/object/apply:os.system [ls]", "acme.yaml:1:1: must be fields"),
        (
            f"calendar: always\ndefault: {{queue: a}}\nrules: [{', '.join(['{}'] * 201)}]",
            "acme.yaml:3:8: rules: has 201 rules and may have 200",
        ),
    ],
)
def test_a_file_that_is_no_file_of_rules_says_so(text: str, told: str) -> None:
    assert any(each.startswith(told) for each in _told(text)), _told(text)


def test_a_file_that_is_too_large_or_no_text_says_so() -> None:
    with pytest.raises(RulesError, match="larger than 256 KiB"):
        load_rules(b"#" * (MAX_BYTES + 1), "acme.yaml")
    with pytest.raises(RulesError, match="save it as UTF-8"):
        load_rules(b"\xff", "acme.yaml")
    with pytest.raises(RulesError, match=r"^acme\.yaml:2: is no UTF-8"):
        load_rules("calendar: always\n# caffè".encode("latin-1"), "acme.yaml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (r'calendar: "\U00110000"', "acme.yaml:1:14: is no YAML: no character has this number"),
        (r'calendar: "\UFFFFFFFF"', "acme.yaml:1:14: is no YAML: no character has this number"),
        (rf"{CONDITION}" + r""" "post.text == '\uD800'" """, "acme.yaml:6:12: rules[0].when: has half a character"),
        (r'default: {queue: "\uD800"}', "acme.yaml:1:18: default.queue: has half a character"),
        (r'default: {queue: a, skills: ["\uD83D\uDE00"]}', "acme.yaml:1:30: default.skills[0]: has half a character"),
        (r'default: {queue: a, "\uD800": b}', "acme.yaml:1:21: default.?: is no field; there are queue"),
    ],
)
def test_what_is_no_character_is_named(text: str, told: str) -> None:
    assert any(each.startswith(told) for each in _told(text)), _told(text)


@pytest.mark.parametrize("condition", ["! post.reply", "!post.reply", "!!str post.reply", "!(post.reply) # never"])
def test_a_tag_is_no_part_of_a_condition(condition: str) -> None:
    [told] = _told(CONDITION + condition)
    place = "acme.yaml:6:11: rules[0].when: "
    assert told == f"{place}begins with !, which YAML takes for a tag: put the whole of it in single quotes"


def test_a_calendar_has_no_tag() -> None:
    [told] = _told("calendar: ! always\ndefault: {queue: a}")
    assert told.startswith("acme.yaml:1:11: calendar: begins with !")


def test_a_tag_that_ends_in_no_yaml_is_explained_too() -> None:
    [told] = _told(CONDITION + "!has(post.views) && post.reply")
    assert told.startswith("acme.yaml:6:29: is no YAML: ")
    assert told.endswith("put the whole of it in single quotes")


@pytest.mark.parametrize("setting", ["answer: ! true", "team: ! none", "respond_within: !a none", "queue: ! b"])
def test_no_value_has_a_tag(setting: str) -> None:
    [problem] = _problems(
        f"calendar: always\ndefault: {{queue: a}}\nrules:\n- {{name: b, when: 'true', set: {{{setting}}}}}"
    )
    assert "which YAML takes for a tag" in problem.message


@pytest.mark.parametrize(
    ("hours", "place", "told"),
    [
        ("{monday: []}", (3, 19), "has no time of opening: leave the day out"),
        ("{monday: 09:00-18:00, sunday: []}", (3, 40), "has no time of opening: leave the day out"),
        ("{}", (3, 10), "must say when anybody works"),
        ("{monday: {a: b}}", (3, 19), "must be a list: times such as 09:00-18:00"),
        ("{monday:}", (3, 18), "must be times such as 09:00-18:00"),
    ],
)
def test_hours_have_openings(hours: str, place: tuple[int, int], told: str) -> None:
    [problem] = _problems(f"calendar:\n  time_zone: Europe/Rome\n  hours: {hours}\ndefault: {{queue: a}}")
    assert (problem.line, problem.column) == place
    assert problem.message.startswith(told)


@pytest.mark.parametrize(
    ("setting", "column", "told"),
    [
        ("respond_within: 0m", 26, "longer than nothing"),
        ("respond_within: 91d", 26, "90d and 2000h at most"),
        ("respond_within: 2001h", 26, "90d and 2000h at most"),
        ("resolve_within: soon", 26, "'soon' must be a time such as 30m, 4h, 1h30m or 2d"),
        ("calendar: office", 20, "'office' must be one of business, always"),
        ("team: The Team", 16, "must be a name of lower-case letters"),
        ("skills: [$lang]", 19, "or $language for the language of the post"),
        ("skills: [' de']", 19, "no space around it"),
        (r'skills: ["d\0e"]', 19, "on one line"),
        ("answer: maybe", 18, "must be true or false"),
        ("queue:", 16, "must be a name of lower-case letters"),
    ],
)
def test_a_setting_that_cannot_be_is_named(setting: str, column: int, told: str) -> None:
    [problem] = _problems(
        f"calendar: always\ndefault: {{queue: a}}\nrules:\n- {{name: b, when: 'true', set:\n        {{{setting}}}}}"
    )
    assert (problem.line, problem.column) == (5, column)
    assert told in problem.message


@pytest.mark.parametrize(
    ("condition", "line", "column"),
    [
        ("post.folowers > 1", 6, 15),
        ("'post.folowers > 1'", 6, 16),
        ('"post.network == \\"x\\" && post.folowers > 1"', 6, 0),
        ("|\n      post.network == 'x'\n\n      && post.folowers > 1", 9, 14),
        (">\n      post.network == 'x'\n      && post.folowers > 1", 6, 0),
        ("post.network == 'x'\n      && post.folowers > 1", 6, 0),
    ],
    ids=["plain", "quoted", "escaped", "literal", "folded", "many lines"],
)
def test_the_place_within_a_condition_is_told_unless_yaml_has_changed_it(
    condition: str, line: int, column: int
) -> None:
    [problem] = _problems(CONDITION + condition)
    assert (problem.line, problem.column) == (line, column)
    assert problem.message.startswith("post has no field folowers; there are followers, ")


MIX = "calendar: always\ndefault: {queue: q}\nmix:\n"
EVEN = "question: 0.25, complaint: 0.25, feedback: 0.25, other: 0.25"


def test_the_mix_of_each_stream_is_read() -> None:
    x, feed = "network: x, venue: microblog", "network: rss_atom"
    text = f"{MIX}  - {{{x}, question: 0.13, complaint: 0.55, feedback: 0.29, other: 0.04}}\n  - {{{feed}, {EVEN}}}\n"
    mixes = _load(text).mixes
    assert list(mixes) == [Stream("x", Venue.MICROBLOG), Stream("rss_atom", None)]
    assert sum(mixes[Stream("x", Venue.MICROBLOG)]) == pytest.approx(1)
    assert mixes[Stream("rss_atom")] == Mix(0.25, 0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        ("venue: chat, " + EVEN, "acme.yaml:4:5: mix[0]: network: must be there: where it is said, such as x"),
        (
            "network: x, venue: chat, question: 1",
            "acme.yaml:4:5: mix[0]: complaint: must be there: a share such as 0.12",
        ),
        (f"network: x, venue: pub, {EVEN}", "acme.yaml:4:25: mix[0].venue: 'pub' must be one of microblog, comment"),
        (
            "network: x, venue: chat, question: 0.5, complaint: 0.5, feedback: 0.5, other: 0.5",
            "acme.yaml:4:5: mix[0]: has shares that add up to 2: they are of all posts, so together they are 1",
        ),
        (
            "network: x, venue: chat, question: 0, complaint: 0.5, feedback: 0.25, other: 0.25",
            "acme.yaml:4:41: mix[0].question: '0' must be from 0.001 to 1: what never comes cannot be recognised",
        ),
        (f"network: x, venue: chat, {EVEN.replace('0.25', 'nan')}", "mix[0].question: 'nan' must be from 0.001 to 1"),
        (
            f"network: x, venue: chat, {EVEN.replace('0.25', '25 %')}",
            "mix[0].question: '25 %' must be a share such as 0.12",
        ),
        (f"network: ' x', {EVEN}", "mix[0].network: ' x' must be the name of a network, such as x"),
        (
            f"network: x, {EVEN}",
            "acme.yaml:4:5: mix[0]: venue: must be there: posts of x stand somewhere, such as microblog",
        ),
    ],
)
def test_a_mix_that_is_wrong_is_told_where_and_why(stream: str, told: str) -> None:
    assert told in "\n".join(_told(f"{MIX}  - {{{stream}}}\n"))


def test_a_stream_has_one_mix() -> None:
    stream = f"  - {{network: x, venue: chat, {EVEN}}}\n"
    [told] = _told(MIX + stream + stream)
    assert told == "acme.yaml:5:5: mix[1]: is the stream of line 4 again: leave one of them out"


def test_a_file_has_a_bounded_number_of_streams() -> None:
    streams = "".join(f"  - {{network: n{number}, {EVEN}}}\n" for number in range(MAX_STREAMS + 1))
    [told] = _told(MIX + streams)
    assert "has 101 streams and may have 100" in told
