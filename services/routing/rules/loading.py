"""From the text of a tenant's file to its rules, or to everything that is wrong with it."""

from typing import Final

from services.routing.rules.calendar_file import read_calendar
from services.routing.rules.conditions import check
from services.routing.rules.document import MAX_BYTES, Document, Value
from services.routing.rules.mix_file import read_mixes
from services.routing.rules.model import Rule, Setting, TenantRules
from services.routing.rules.parsing import A_NAME, parse_name
from services.routing.rules.problems import Problem, RulesError
from services.routing.rules.setting_file import read_setting

FIELDS: Final = ("calendar", "default", "rules", "mix")
RULE_FIELDS: Final = ("name", "when", "set", "stop")
MAX_RULES: Final = 200
_NEEDED_IN_FILE: Final = {
    "calendar": "time_zone and hours, or always",
    "default": "the queue of posts that no rule sorts",
}
_NEEDED_IN_DEFAULT: Final = {"queue": "posts that no rule sorts need one"}
_NEEDED_IN_RULE: Final = {"name": "what logs call it", "when": "its condition", "set": "what it sets"}


def load_rules(content: bytes, file: str) -> TenantRules:
    """Read the content of `file`; raises `RulesError` with every problem."""
    if len(content) > MAX_BYTES:
        raise RulesError([Problem(file, 0, 0, "", f"is larger than {MAX_BYTES // 1024} KiB: make it shorter")])
    try:
        document = Document(file, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RulesError([Problem(file, line, 0, "", "is no UTF-8: save it as UTF-8")]) from error
    root = document.root()
    rules = _tenant(document, root) if root else None
    if document.problems or rules is None:
        raise RulesError(sorted(document.problems))
    return rules


def _tenant(document: Document, root: Value) -> TenantRules:
    fields = document.mapping(root, FIELDS, _NEEDED_IN_FILE)
    return TenantRules(
        read_setting(document, fields["default"], _NEEDED_IN_DEFAULT) if "default" in fields else Setting(),
        _rules(document, fields["rules"]) if "rules" in fields else (),
        read_calendar(document, fields["calendar"]) if "calendar" in fields else None,
        read_mixes(document, fields["mix"]) if "mix" in fields else {},
    )


def _rules(document: Document, value: Value) -> tuple[Rule, ...]:
    given = document.items(value, "rules, each with name, when and set")
    if len(given) > MAX_RULES:
        document.wrong(value, f"has {len(given)} rules and may have {MAX_RULES}")
    lines: dict[str, int] = {}
    return tuple(_rule(document, each, lines) for each in given)


def _rule(document: Document, value: Value, lines: dict[str, int]) -> Rule:
    """Read one rule; `lines` tells where each name of a rule stood, and learns this one."""
    fields = document.mapping(value, RULE_FIELDS, _NEEDED_IN_RULE)
    name = document.parsed(fields["name"], parse_name, A_NAME) if "name" in fields else None
    if name in lines:
        document.wrong(fields["name"], f"{name!r} is the name of the rule in line {lines[name]} already")
    elif name:
        lines[name] = fields["name"].line
    return Rule(
        name or "",
        _condition(document, fields["when"]) if "when" in fields else "",
        read_setting(document, fields["set"]) if "set" in fields else Setting(),
        stop=document.truth_of(fields["stop"]) is True if "stop" in fields else False,
    )


def _condition(document: Document, value: Value) -> str:
    condition = document.text_of(value, 'a condition such as classification.category == "complaint"') or ""
    for fault in check(condition) if condition else ():
        document.wrong_within(value, fault.line, fault.column, fault.message)
    return condition
