"""The mails in what mail providers deliver to an inbound hook: the raw mail, a form that holds it, or JSON."""

import base64
import binascii
import re
from collections.abc import Iterator
from email.message import Message
from typing import Final
from urllib.parse import parse_qs

from services.ingest.connectors._mime import Headers, body_of, parsed
from services.ingest.payload import Node, read_json

# SendGrid and Mailgun post forms; Gmail, Postmark, Mandrill, Amazon SES (inside SNS) and relays of one's own JSON.
_FIELDS: Final = (
    "raw",
    "email",
    "body-mime",
    "mime",
    "raw_msg",
    "RawEmail",
    "rawEmail",
    "raw_email",
    "content",
    "body",
)
_ENVELOPES: Final = ("message", "Message", "msg", "mandrill_events", "data", "payload")
_MOST_ENVELOPES: Final = 4
_MOST_FORM_FIELDS: Final = 1_000
_FORM_BOUNDARY: Final = re.compile(rb"--([\w'()+,./:=?-]{1,70})\r?\n")
_FORM_FIELD: Final = re.compile(r'\bname="?([^";]+)', re.IGNORECASE)
_URL_ENCODED: Final = re.compile(rb"[\w.%+-]{1,100}=[^\s:]*\Z")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=\s-]+")


def mails_in(body: bytes) -> list[bytes]:
    """The raw mails in a delivery; none where it is of another form."""
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] in {b"{", b"["}:
        return list(_in_json(read_json(start) or Node(), _MOST_ENVELOPES))
    boundary = _FORM_BOUNDARY.match(start)
    if boundary:
        return list(_in_form(parsed(b'Content-Type: multipart/form-data; boundary="%b"\r\n\r\n' % boundary[1] + start)))
    if _URL_ENCODED.match(start):
        return list(_in_url_encoded(start))
    return [start] if start else []


def _in_json(place: Node, envelopes: int) -> Iterator[bytes]:
    if envelopes == 0:
        return
    for each in place:
        yield from _in_json(each, envelopes - 1)
    for name in _FIELDS:
        if text := place[name].text():
            yield from _in_text(text, envelopes)
            return
    for name in _ENVELOPES:
        inner = place[name]
        yield from _in_text(inner.text() or "", envelopes) if inner.text() else _in_json(inner, envelopes - 1)


def _in_text(text: str, envelopes: int) -> Iterator[bytes]:
    """A mail as text or in base64 (also base64url), or JSON that holds one."""
    if text.lstrip()[:1] in {"{", "["}:
        yield from _in_json(read_json(text.encode()) or Node(), envelopes - 1)
    elif not _BASE64.fullmatch(text):
        yield text.encode("utf-8", "replace")
    else:
        try:
            yield base64.urlsafe_b64decode(
                "".join(text.split()).replace("+", "-").replace("/", "_").rstrip("=") + "==="
            )
        except (binascii.Error, ValueError):
            return


def _in_form(form: Message | None) -> Iterator[bytes]:
    parts = form.get_payload() if form and form.is_multipart() else []
    for part in parts:
        if not isinstance(part, Message):
            continue
        name = _FORM_FIELD.search(Headers(part)["content-disposition"])
        if name and name[1] in _FIELDS:
            yield body_of(part)
            return


def _in_url_encoded(body: bytes) -> Iterator[bytes]:
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=_MOST_FORM_FIELDS, errors="surrogateescape")
    except ValueError:
        return
    for name in (*_FIELDS, *_ENVELOPES):
        if name in fields:
            text = fields[name][0]
            yield from (
                [text.encode("utf-8", "surrogateescape")] if ":" in text[:200] else _in_text(text, _MOST_ENVELOPES)
            )
            return
