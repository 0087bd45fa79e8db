"""What a connector is: the declarative description of one network, and what its normalizer answers."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from services.ingest.decoding import convert
from services.ingest.rawpost import MAX_MEDIA, MAX_SPANS, MAX_TEXT_CODE_POINTS, Invalid, RawPost
from services.ingest.verification import Scheme


class Reason(Enum):
    """Why something that a network sent becomes no post; docs/networks.md explains each."""

    MALFORMED = "the bytes are not of the form that the network sends"
    NO_POST = "it tells of something else than a post"
    NO_CONTENT = "nobody said anything: no text, no media, no stars"
    IDS_ONLY = "it names a post without its content, which must be fetched"
    NO_ID = "what identifies the post is missing"
    ENCRYPTED = "the network hides the content from us"
    AUTOMATIC = "a machine sent it: an automatic reply, a bounce, a mailing list"
    INVALID = "a field cannot be what it says"


class Ignored(NamedTuple):
    """Something that becomes no post; `detail` is for people: it may quote field names and values, never logs."""

    reason: Reason
    detail: str = ""


Outcome: TypeAlias = RawPost | Ignored


@dataclass(frozen=True, slots=True)
class Account:
    """What a normalizer may know of the connected account; empty where it is tried without one."""

    id: str = ""
    """The account's own id on the network (page, bot, channel, app): what it wrote itself is marked as own."""
    url: str = ""
    """The instance or site, such as "https://mastodon.example"; without a slash at its end."""


Normalize: TypeAlias = Callable[[bytes, Account], list[Outcome]]
"""Pure, and total: any bytes have an answer, and none raises."""

Transport: TypeAlias = Literal["webhook", "poll", "stream", "mailbox", "program", "file"]


class Ability(NamedTuple):
    """Whether the network tells us of something, and how."""

    level: Literal["yes", "partly", "no"]
    how: str


def yes(how: str) -> Ability:
    """It does."""
    return Ability("yes", how)


def partly(how: str) -> Ability:
    """It does in some cases; `how` says in which."""
    return Ability("partly", how)


def no(how: str) -> Ability:
    """It does not; `how` says what follows from that."""
    return Ability("no", how)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """The row of docs/networks.md: short phrases for people who decide whether to connect the network."""

    edits: Ability
    deletes: Ability
    threads: Ability
    own_posts: Ability
    media: Ability
    language: Ability
    permalinks: Ability
    reply: Ability
    limits: str
    """What the network allows, with its unit."""
    proven: tuple[str, ...]
    """Which shapes were proven by real payloads."""
    unproven: tuple[str, ...] = ()
    """Which are built after documentation alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One network: a file of its own under services/ingest/connectors/ defines it as CONNECTOR."""

    network: str
    """What posts say as their network, and people on the command line."""
    title: str
    transports: tuple[Transport, ...]
    normalize: Normalize
    verification: Scheme | None = None
    """How deliveries are signed; None where nothing is delivered."""
    capabilities: Capabilities


MALFORMED: Final = Ignored(Reason.MALFORMED)
_NEEDED: Final = frozenset({"network", "kind", "change", "native_id", "revision"})
_OPTIONAL_PARTS: Final = frozenset({"url", "alt_text", "duration_seconds", "transcript", "target"})
_FIELD: Final = re.compile(r"(?P<name>\w+)(?:\[(?P<index>\d+)\])?(?:\.(?P<part>\w+))?")
_FIRST_EDIT: Final = 2


def post(**fields: Any) -> Outcome:  # noqa: ANN401 - checked by the rules of RawPost
    """Make the post of what a network says; what is None is absent.

    Text is cut at `MAX_TEXT_CODE_POINTS`, media and spans at their number: a post that is too long is still a post.
    A field that breaks a rule is absent as well, such as a negative count; one without which there is no post makes
    it `Ignored`.

    `edited_at` makes it an edit, for networks that tell when a post was edited and not how often.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    if not given.get("native_id"):
        return Ignored(Reason.NO_ID)
    if text := given.get("text"):
        given["text"] = text[:MAX_TEXT_CODE_POINTS]
    _number_edit(given)
    given["media"] = [_given(each) for each in given.get("media", ())][:MAX_MEDIA]
    given["spans"] = [_given(each) for each in given.get("spans", ())][:MAX_SPANS]
    if "author" in given:
        given["author"] = _given(given["author"])
        if not given["author"].get("id"):
            del given["author"]
    given["author_unknown"] = "author" not in given
    if given.get("change", "created") != "deleted" and not _has_content(given):
        return Ignored(Reason.NO_CONTENT)
    return _converted(given)


def all_of(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes of a payload, which always has one."""
    return list(outcomes) or [Ignored(Reason.NO_POST, "the payload holds nothing")]


def titled(title: str | None, text: str | None) -> str | None:
    """One text of a title and a body, as people read them: apart by an empty line."""
    return "\n\n".join(part.strip() for part in (title, text) if part and part.strip()) or None


def _number_edit(given: dict[str, Any]) -> None:
    """Give an edit its revision: the network's own count, else the second of the edit."""
    if edited_at := given.pop("edited_at", None):
        given |= {"change": "edited", "revision": int(edited_at.timestamp())}
    if given.get("change") == "edited":
        # Where the network says neither count nor time of an edit, it is the first that we can tell of.
        given["revision"] = max(given.get("revision", 0), _FIRST_EDIT)


def _converted(given: dict[str, Any]) -> Outcome:
    """Check, and leave out what breaks a rule, one field after another; each round leaves out one."""
    while isinstance(read := convert(given, RawPost), Invalid):
        if not _leave_out(given, read.field):
            return Ignored(Reason.INVALID, f"{read.field}: {read.description}")
    return read


def _leave_out(given: dict[str, Any], field: str) -> bool:
    """Remove a field such as "author.handle" or "media[2].url"; False where there would be no post without it."""
    match = _FIELD.fullmatch(field)
    name = match["name"] if match else ""
    if match is None or name in _NEEDED or name not in given:
        return False
    if match["index"] and match["part"] in _OPTIONAL_PARTS:
        del given[name][int(match["index"])][match["part"]]
    elif match["index"]:
        del given[name][int(match["index"])]
    elif match["part"] and match["part"] != "id":
        del given[name][match["part"]]
    else:
        del given[name]
        given["author_unknown"] = "author" not in given
    return True


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _has_content(given: Mapping[str, Any]) -> bool:
    return bool(str(given.get("text", "")).strip() or given["media"] or given.get("rating") is not None)
