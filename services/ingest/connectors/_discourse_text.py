"""The text and the media of a Discourse post: from what its author typed (`raw`), else from its HTML (`cooked`)."""

import re
from html.parser import HTMLParser
from typing import Any, Final

from services.ingest.connectors._spanned import MAX_MARKUP_CHARACTERS, Piece, Spanned, read_markup
from services.ingest.markup import html_to_text
from services.ingest.payload import Node

_MARKUP: Final = re.compile(
    r"\[quote(?:=\"?(?P<whom>[^\",\[\]\n]{0,200})(?:[\",][^\[\]\n]{0,500})?)?\]\n?"
    r"|(?P<end>\n{0,2}\[/quote\]\n{0,3})"
    r"|(?P<image>!\[[^\[\]\n]{0,500}\]\(upload://[^\s)]{1,300}\)(?:\[[^\]\n]{0,100}\])?)"
    r"|\[(?P<file>[^\[\]|\n]{0,500})\|(?:attachment|video|audio)[^\[\]\n]{0,100}\]\(upload://[^\s)]{1,300}\)"
)
_IMAGE: Final = re.compile(r"<img\b[^<>]{0,4000}>")
_EMOJI_NAME: Final = re.compile(r"alt=\"(:[^\"<>]{1,100}:)\"")
_CAPTION: Final = re.compile(r"<div class=\"meta\">.{0,4000}?</div>", re.DOTALL)
_MEDIA: Final = {"img": "image", "video": "video", "audio": "audio"}


def post_text(post: Node, title: str | None = None) -> Spanned:
    """What its author wrote, below the title; words of others that are quoted stay, as quotes."""
    found = Spanned()
    if title:
        found.add(Piece(f"{title.strip()}\n\n"))
    if raw := post["raw"].text():
        _read_raw(raw.strip(), found)
    else:
        found.add(Piece(html_to_text(_with_emoji_names((post["cooked"].text() or "")[:MAX_MARKUP_CHARACTERS]))))
    return found


def post_media(post: Node) -> list[dict[str, Any]]:
    """Images, sounds, films and files that stand in its HTML."""
    reader = _MediaReader()
    try:
        reader.feed((post["cooked"].text() or "")[:MAX_MARKUP_CHARACTERS])
    except AssertionError:  # html.parser meets "<![" of an unknown kind with one
        return reader.found
    return reader.found


def _read_raw(raw: str, found: Spanned) -> None:
    """Quotes may lie in quotes; one that never ends quotes nothing."""
    open_quotes: list[tuple[int, str | None]] = []

    def read(match: "re.Match[str]") -> Piece:
        if match["end"]:
            if not open_quotes:
                return Piece(match[0])
            start, whom = open_quotes.pop()
            found.mark(start, "quote", whom)
            return Piece("\n\n")
        if match["image"] or match["file"] is not None:
            return Piece(match["file"] or "")
        open_quotes.append((found.length, match["whom"]))
        return Piece("")

    read_markup(raw, _MARKUP, read, into=found)


def _with_emoji_names(cooked: str) -> str:
    """Emoji are images whose names stand beside them; captions tell an image's size, and nobody wrote them."""
    return _CAPTION.sub("", _IMAGE.sub(_emoji_name, cooked))


def _emoji_name(match: "re.Match[str]") -> str:
    name = _EMOJI_NAME.search(match[0])
    return name[1] if name and "emoji" in match[0] else match[0]


class _MediaReader(HTMLParser):
    """Finds the media; emoji, avatars and the icons of previewed sites are decoration."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = set((given.get("class") or "").split())
        if classes & {"emoji", "avatar", "site-icon", "thumbnail"}:
            return
        if tag in _MEDIA and (given.get("src") or tag != "img"):
            self.found.append({"kind": _MEDIA[tag], "url": given.get("src") or None, "alt_text": given.get("alt")})
        elif tag == "source" and self.found and not self.found[-1]["url"]:
            self.found[-1]["url"] = given.get("src") or None
        elif tag == "a" and "attachment" in classes:
            self.found.append({"kind": "file", "url": given.get("href") or None})
