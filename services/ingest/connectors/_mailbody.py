"""What a mail says: the text of its readable parts, and what is attached to it."""

import re
from collections.abc import Iterator
from email.message import Message
from typing import Final, NamedTuple

from services.ingest.connectors._mime import Headers, body_of, text_of
from services.ingest.markup import html_to_text

MAX_BODY_CHARACTERS: Final = 100_000
"""Twice what a post may hold, so that what is stripped leaves enough."""
_MAX_HTML_CHARACTERS: Final = 400_000

_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([^\s\"';]+)", re.IGNORECASE)
_META_CHARSET: Final = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?([\w-]{1,40})", re.IGNORECASE)
_SIGNATURES: Final = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature"} | {"application/x-pkcs7-signature"}
)
_ENCRYPTED: Final = re.compile(
    r"multipart/encrypted|application/pgp-encrypted|application/(x-)?pkcs7-mime.*(enveloped-data|authenveloped)",
    re.IGNORECASE,
)
_PGP: Final = "-----BEGIN PGP MESSAGE-----"


class Content(NamedTuple):
    """The text of a mail or of a part, and the kinds of what is attached."""

    text: str = ""
    attached: tuple[str, ...] = ()
    encrypted: bool = False


def content_of(message: Message) -> Content:
    """Read a mail, whose depth `parsed` has bounded."""
    headers = Headers(message)
    kind = message.get_content_type()
    if _ENCRYPTED.match(headers["content-type"]):
        return Content(encrypted=True)
    children = [each for each in message.get_payload() if isinstance(each, Message)] if message.is_multipart() else []
    if message.get_content_maintype() == "multipart" and children:
        return _of_parts(kind, children)
    if kind in {"text/plain", "text/html"} and not _is_attached(headers):
        return _of_text(_text(message, headers, kind))
    if message.get_content_maintype() == "multipart":
        # Its boundary never came: what there is are lines.
        return _of_text(_text(message, headers, "text/plain"))
    return Content(attached=(_kind(kind),))


def _of_parts(kind: str, parts: list[Message]) -> Content:
    read = list(map(content_of, _without_signature(kind, parts)))
    texts = [each.text for each in read if each.text.strip()]
    if kind == "multipart/alternative":
        plain = (each.text for part, each in zip(parts, read, strict=False) if part.get_content_type() == "text/plain")
        texts = [next((text for text in plain if text.strip()), texts[-1] if texts else "")]
    attached = tuple(name for each in read for name in each.attached)
    return Content("\n\n".join(texts), attached, any(each.encrypted for each in read))


def _without_signature(kind: str, parts: list[Message]) -> Iterator[Message]:
    for part in parts:
        if kind != "multipart/signed" or part.get_content_type() not in _SIGNATURES:
            yield part


def _of_text(text: str) -> Content:
    return Content(text, encrypted=_PGP in text)


def _is_attached(headers: Headers) -> bool:
    return headers.word("content-disposition") == "attachment" or "filename" in headers["content-disposition"].lower()


def _text(part: Message, headers: Headers, kind: str) -> str:
    data = body_of(part)[: _MAX_HTML_CHARACTERS * 4]
    declared = _CHARSET.search(headers["content-type"])
    if kind == "text/html":
        meta = _META_CHARSET.search(data[:2000])
        charset = declared[1] if declared else meta[1].decode() if meta else ""
        return html_to_text(text_of(data, charset)[:_MAX_HTML_CHARACTERS])[:MAX_BODY_CHARACTERS]
    text = text_of(data, declared[1] if declared else "")[:MAX_BODY_CHARACTERS].replace("\r\n", "\n")
    parameters = headers["content-type"].lower()
    return _unflowed(text, delsp="delsp=yes" in parameters) if "format=flowed" in parameters else text


def _unflowed(text: str, *, delsp: bool) -> str:
    """Join the lines that a mail client broke (RFC 3676): those that end in a space."""
    lines: list[list[str]] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        unquoted = line.lstrip(">")
        depth = len(line) - len(unquoted)
        piece = unquoted.removeprefix(" ")
        flows = piece.endswith(" ") and piece != "-- "
        if depth != open_depth or piece == "-- ":
            lines.append(["> " * bool(depth)])
        lines[-1].append(piece[:-1] if flows and delsp else piece)
        open_depth = depth if flows else None
    return "\n".join(map("".join, lines))


def _kind(content_type: str) -> str:
    family = content_type.partition("/")[0]
    return family if family in {"image", "video", "audio"} else "file"
