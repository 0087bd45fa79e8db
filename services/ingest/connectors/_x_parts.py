"""X: what both generations of its objects share: people, versions, escaped text, and places in it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from services.ingest.connector import Ignored, Outcome, Reason, post
from services.ingest.payload import ABSENT, Node
from services.ingest.rawpost import MAX_SPANS, MAX_TEXT_CODE_POINTS

NETWORK: Final = "x"
RETWEET: Final = Ignored(Reason.NO_POST, "a repost without words of its own")
MEDIA_KINDS: Final = {"photo": "image", "video": "video", "animated_gif": "video"}

_MAX_TARGET_CHARACTERS: Final = 512
_MAX_URL_CHARACTERS: Final = 4096
_WITHIN: Final = 1_000
"""How far, in code points, from where X says it a word is looked for."""
_NO_LANGUAGE: Final = frozenset({"und", "zxx", "art", "qam", "qct", "qht", "qme", "qst"})
"""X's own codes for mentions, media, tags and links alone."""
_ESCAPES: Final = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_ESCAPE: Final = re.compile("|".join(_ESCAPES))
_REPOSTED: Final = re.compile(r"RT @\w{1,15}: ")

People = Mapping[str, Node]


class Version(NamedTuple):
    """An edit has an id of its own: its post is known by the id of the first version."""

    native_id: str
    revision: int


def version_of(own_id: str, history: Node) -> Version:
    """Where a version stands in the ids of its edit history, which starts with the original."""
    ids = [each for node in history if (each := node.id())]
    if not ids:
        return Version(own_id, 1)
    return Version(ids[0], ids.index(own_id) + 1 if own_id in ids else len(ids))


def unwrapped(node: Node) -> Node:
    """What the Activity API gives flat at times, and at times within "data"."""
    return node["data"] if node["data"].is_object() else node


def people_of(users: Node) -> People:
    """The users that a payload brings along: a list or a map."""
    nodes = users if users.is_list() else (node for _, node in users.members())
    return {each: node for node in map(unwrapped, nodes) if (each := user_id(node))}


def user_id(user: Node) -> str | None:
    """The id of a user; as a text where there is one, for numbers lose digits on their way."""
    return user["id_str"].id() or user["id"].id()


def author_of(author_id: str | None, user: Node) -> dict[str, Any]:
    """Who wrote it, as far as the payload brings the user along."""
    return {
        "id": author_id,
        "handle": user["username"].text() or user["screen_name"].text(),
        "display_name": user["name"].text(),
        "verified": user["verified"].flag(),
    }


def followers_of(user: Node) -> int | None:
    """How many people follow a user."""
    return count(user.at("public_metrics", "followers_count") or user["followers_count"])


def person(people: People, author_id: str | None) -> Node:
    """The user of that id, if the payload brings it along."""
    return people.get(author_id or "", ABSENT)


def count(node: Node) -> int | None:
    """A number of people or views; a negative one is none."""
    number = node.integer()
    return number if number is not None and number >= 0 else None


def language(node: Node) -> str | None:
    """The language that X found, where it found one."""
    code = node.text()
    return None if code in _NO_LANGUAGE else code


def plain(text: str | None) -> str | None:
    """X escapes three characters of what people write."""
    if not text:
        return None
    return _ESCAPE.sub(lambda match: _ESCAPES[match[0]], text[: 5 * MAX_TEXT_CODE_POINTS])[:MAX_TEXT_CODE_POINTS]


def is_repost_by_its_text(text: str | None) -> bool:
    """How a repost reads where X does not say what it refers to."""
    return bool(text and _REPOSTED.match(text))


def permalink(user: Node, own_id: str) -> str:
    """The address of a post; X finds it without the author's name as well."""
    name = user["username"].text() or user["screen_name"].text() or "i/web"
    return f"https://x.com/{name}/status/{own_id}"


def address(node: Node) -> str | None:
    """The address of a file."""
    url = node.text()
    return url if url and len(url) <= _MAX_URL_CHARACTERS else None


def best_variant(variants: Node, rate: str) -> str | None:
    """The address of a video in its best quality; a playlist has no rate."""
    found = [(each[rate].integer(), address(each["url"])) for each in variants]
    return max(((bits, url) for bits, url in found if bits is not None and url), default=(0, None))[1]


def spans_of(text: str | None, entities: Node) -> list[dict[str, Any]]:
    """Mentions, tags and links, in either generation's names."""
    found = (
        _span(kind, text or "", told, words, target)
        for kind, told, words, target in islice(_entities(entities), MAX_SPANS)
    )
    return [span for span in found if span]


def deleted(own_id: str | None, author_id: str | None, mine: frozenset[str], kind: str = "public_post") -> Outcome:
    """A post that is gone."""
    return post(network=NETWORK, kind=kind, change="deleted", native_id=own_id, own=author_id in mine)


def _entities(entities: Node) -> Iterator[tuple[str, int, str, str | None]]:
    for name in ("mentions", "user_mentions"):
        for each in entities[name]:
            handle = each["username"].text() or each["screen_name"].text()
            yield from _told("mention", each, "[@\uff20]", handle, user_id(each) or handle)
    for each in entities["hashtags"]:
        tag = each["tag"].text() or each["text"].text()
        yield from _told("hashtag", each, "[#\uff03]", tag, tag)
    for each in entities["urls"]:
        url = each["url"].text()
        yield from _told("link", each, "", url, each["expanded_url"].text() or url)


def _told(
    kind: str, entity: Node, sign: str, word: str | None, target: str | None
) -> Iterable[tuple[str, int, str, str | None]]:
    start = entity["start"].integer()
    start = entity.at("indices", 0).integer() if start is None else start
    return [] if start is None or not word else [(kind, start, sign + re.escape(word), target)]


def _span(kind: str, text: str, told: int, words: str, target: str | None) -> dict[str, Any] | None:
    """X counts code points of the escaped text, and not always well: the words stand nearest to where it says."""
    told = min(max(told, 0), len(text))
    around = re.compile(words, re.IGNORECASE).finditer(text, max(0, told - _WITHIN), told + _WITHIN)
    places = [match.span() for match in around]
    if not places:
        return None
    start, end = min(places, key=lambda place: abs(place[0] - told))
    short = target if target and len(target) <= _MAX_TARGET_CHARACTERS else None
    return {"kind": kind, "start": start, "end": end, "target": short}
