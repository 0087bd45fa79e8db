"""LinkedIn: posts and comments as its REST API gives them, in the versioned and the older forms."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from services.ingest.connector import Outcome, post, titled
from services.ingest.connectors._linkedin_urns import author_of, is_own, normalized, permalink, post_of, words_of
from services.ingest.offsets import from_utf16
from services.ingest.payload import Node
from services.ingest.rawpost import MAX_SPANS, MAX_TEXT_CODE_POINTS

NETWORK: Final = "linkedin"

_UGC: Final = "com.linkedin.ugc.ShareContent"
_MENTION: Final = re.compile(r"@\[((?:[^\[\]\\]|\\.){1,200})\]\(urn:li:[^()\s]{1,200}\)")
_HASHTAG: Final = re.compile(r"\{hashtag\|\\?#\|([^{}|]{1,500})\}")
_ESCAPED: Final = re.compile(r"\\([|{}@\[\]()<>#\\*_~])")
_MEDIA: Final = {"image": "image", "video": "video", "document": "file"}
_PERSON: Final = re.compile(r"urn:li:(?:person|member|organization|company):[^\s]{1,200}")


def read_post(item: Node, account_id: str) -> Outcome:
    """A post, which older versions call a share or a UGC post."""
    urn = _post_urn(item)
    created = item["publishedAt"] or item["createdAt"] or item.at("created", "time") or item["firstPublishedAt"]
    changed = item["lastModifiedAt"] or item.at("lastModified", "time")
    edited = item.at("lifecycleStateInfo", "isEditedByAuthor").flag() is True
    author = (item["author"] or item["owner"]).id()
    return post(
        network=NETWORK,
        kind="public_post",
        change="edited" if edited else "created",
        edited_at=changed.milliseconds() if edited else None,
        native_id=urn,
        own=is_own(author, account_id),
        author=author_of(author, item["author~"] or item["owner~"]),
        text=_commentary(item),
        create_time=created.milliseconds(),
        permalink=permalink(urn),
        media=list(_post_media(item)),
    )


def read_comment(item: Node, account_id: str) -> Outcome:
    """A comment; an answer to one names it as `parentComment`, and the post as `object`."""
    target = normalized(item["object"])
    thread = post_of(target) or target
    urn = normalized(item["commentUrn"] or item["$URN"]) or _comment_urn(thread, item["id"].id())
    created, changed = item.at("created", "time"), item.at("lastModified", "time")
    edited = (changed.integer() or 0) > (created.integer() or 0) > 0
    author = (item["actor"] or item.at("created", "actor")).id()
    text = words_of(item["message"])
    return post(
        network=NETWORK,
        kind="public_comment",
        change="edited" if edited else "created",
        edited_at=changed.milliseconds() if edited else None,
        native_id=urn,
        native_parent_id=normalized(item["parentComment"]) or target,
        native_thread_id=thread,
        own=is_own(author, account_id),
        author=author_of(author, item["actor~"]),
        text=text,
        create_time=created.milliseconds(),
        permalink=permalink(urn),
        media=[{"kind": "image", "url": each["url"].text()} for each in item["content"] if each.is_object()],
        spans=list(_spans(text or "", item.at("message", "attributes"))),
    )


def _comment_urn(thread: str | None, number: str | None) -> str | None:
    return f"urn:li:comment:({thread},{number})" if thread and number else None


def _post_urn(item: Node) -> str | None:
    urn = normalized(item["id"])
    return f"urn:li:share:{urn}" if urn and urn.isdigit() else urn


def _commentary(item: Node) -> str | None:
    """The words of a post; those of the versioned API are in "little text", with marks for tags and mentions."""
    little = (item["commentary"].text() or "")[:MAX_TEXT_CODE_POINTS]
    if little:
        return _ESCAPED.sub(r"\1", _HASHTAG.sub(r"#\1", _MENTION.sub(r"\1", little)))
    content = item.at("specificContent", _UGC)
    return words_of(content["shareCommentary"]) or titled(item["subject"].text(), words_of(item["text"]))


def _post_media(item: Node) -> Iterator[dict[str, Any]]:
    content = item["content"]
    images = content.at("multiImage", "images")
    for each in images or [content["media"]]:
        kind = _MEDIA.get((each["id"].text() or "").removeprefix("urn:li:").partition(":")[0])
        if kind:
            yield {"kind": kind, "alt_text": each["altText"].text()}
    category = item.at("specificContent", _UGC, "shareMediaCategory").text()
    yield from media_of(category)


def media_of(category: str | None) -> list[dict[str, Any]]:
    """What LinkedIn says is attached, without where."""
    kinds = {
        "IMAGE": "image",
        "CAROUSEL": "image",
        "VIDEO": "video",
        "LIVE_VIDEO": "video",
        "NATIVE_DOCUMENT": "file",
    }
    return [{"kind": kinds[category]}] if category in kinds else []


def _spans(text: str, attributes: Node) -> Iterator[dict[str, Any]]:
    at = from_utf16(text)
    for each in islice(attributes, MAX_SPANS):
        start, length, whom = each["start"].integer(), each["length"].integer(), _mentioned(each["value"])
        if start is not None and length is not None and whom:
            yield {"kind": "mention", "start": at(start), "end": at(start + length), "target": whom}


def _mentioned(value: Node) -> str | None:
    """The member or organization in an attribute, whose type is the name of its only member."""
    urns = (node.text() or "" for _, entity in value.members() for _, node in entity.members())
    return next((urn for urn in urns if _PERSON.fullmatch(urn)), None)
