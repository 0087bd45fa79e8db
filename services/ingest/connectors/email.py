"""E-mail: a message as it lies in a mailbox (RFC 5322), or as the inbound hook of a mail provider delivers it."""

import re
from datetime import datetime
from email.message import Message
from typing import Final, NamedTuple

from services.ingest.connector import (
    MALFORMED,
    Account,
    Capabilities,
    Connector,
    Ignored,
    Outcome,
    Reason,
    all_of,
    no,
    partly,
    post,
    titled,
    yes,
)
from services.ingest.connectors._automatic import is_robot, why_automatic
from services.ingest.connectors._ids import digest, identifier
from services.ingest.connectors._language import language
from services.ingest.connectors._mailbody import Content, content_of
from services.ingest.connectors._mailhook import mails_in
from services.ingest.connectors._mime import Headers, decoded_words, parsed
from services.ingest.connectors._quoting import own_words
from services.ingest.payload import Node, read_time
from services.ingest.text import clean_line
from services.ingest.times import is_representable
from services.ingest.verification import BEARER

NETWORK: Final = "email"

_MAX_NAME_CHARACTERS: Final = 512
_MESSAGE_ID: Final = re.compile(r"<([^<>]+)>")
_IN_ANGLES: Final = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_BARE: Final = re.compile(r"[^\s<>()\[\],;:\"]+@[^\s<>()\[\],;:\"]+")
_COMMENT: Final = re.compile(r"\(([^()]*)\)")
_REPLY_SUBJECT: Final = re.compile(
    r"\s*(?:re|r|rif|aw|antw(?:ort)?|sv|vs|res|odp|ynt|回复|回覆|答复|返信)\s*(?:\[\d+\])?\s*[:\uff1a]", re.IGNORECASE
)
_FORWARD_SUBJECT: Final = re.compile(r"\s*(?:fwd?|i|wg|tr|rv|enc|doorst|vb|pd)\s*:", re.IGNORECASE)


class _Sender(NamedTuple):
    address: str
    """In lower case, "" where there is none."""
    name: str


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read one mail, or those that a hook delivers."""
    mails = mails_in(body)
    if not mails:
        return [MALFORMED]
    return all_of(_mail(each, account) for each in mails)


def _mail(data: bytes, account: Account) -> Outcome:
    message = parsed(data)
    if message is None:
        return Ignored(Reason.MALFORMED, "it has more headers, lines or parts than any mail")
    headers = Headers(message)
    if not any(name in headers for name in ("From", "Sender", "Message-ID", "Date", "Subject", "Received")):
        return MALFORMED
    own_address = account.id.strip().lower()
    sender = _sender(headers, own_address)
    own = bool(own_address) and _untagged(sender.address) == _untagged(own_address)
    automatic = None if own else why_automatic(headers, message.get_content_type(), sender.address, own_address)
    if automatic:
        return Ignored(Reason.AUTOMATIC, automatic)
    return _post(message, headers, sender, own=own)


def _post(message: Message, headers: Headers, sender: _Sender, *, own: bool) -> Outcome:
    content = content_of(message)
    if content.encrypted:
        return Ignored(Reason.ENCRYPTED, "the mail is encrypted from end to end")
    native_id = _native_id(headers, sender, content)
    references = _message_ids(headers["References"])
    answered = _message_ids(headers["In-Reply-To"])[:1] or references[-1:]
    return post(
        network=NETWORK,
        kind="email",
        native_id=native_id,
        native_thread_id=(references or answered or [native_id])[0],
        native_parent_id=answered[0] if answered else None,
        own=own,
        author={"id": identifier(sender.address), "display_name": sender.name or None},
        text=_text(headers.decoded("Subject"), content.text, is_answer=bool(answered)),
        language=language(Node(headers["Content-Language"])),
        create_time=_time(headers["Date"]),
        media=[{"kind": each} for each in content.attached],
    )


def _text(subject: str, body: str, *, is_answer: bool) -> str | None:
    """The subject is said once: "Re: Broken lamp" tells nothing that the mail which it answers does not.

    What a forwarded mail quotes is what its sender wants to be read, and stays.
    """
    said_before = is_answer and _REPLY_SUBJECT.match(subject)
    words = body if _FORWARD_SUBJECT.match(subject) else own_words(body)
    return titled(None if said_before else clean_line(subject), words)


def _sender(headers: Headers, own_address: str) -> _Sender:
    """Who wrote it. Lists and forms that send in their own name say elsewhere whose words they pass on."""
    sender = _address(headers["From"]) or _address(headers["Sender"]) or _address(headers["Return-Path"])
    if sender and is_robot(sender.address):
        asker = _address(headers["Reply-To"])
        return asker if asker and not is_robot(asker.address) else sender
    if sender and own_address and _untagged(sender.address) == _untagged(own_address):
        return _address(headers["X-Original-From"]) or _address(headers["X-Original-Sender"]) or sender
    return sender or _Sender("", "")


def _address(header: str) -> _Sender | None:
    """The first address of a header; a name without one, as local mail has, is an address of its own."""
    found = _IN_ANGLES.search(header) or _BARE.search(header)
    if found is None:
        local = header.strip().partition(" ")[0].strip("<>\"',;:()").lower()
        return _Sender(local, "") if local else None
    address = found[found.lastindex or 0].strip("'\".").lower()
    comment = _COMMENT.search(header)
    before = header[: found.start()].strip() or (comment[1] if comment else "")
    name = clean_line(decoded_words(before.replace('\\"', '"').strip().strip("\"'")))
    return _Sender(address, name[:_MAX_NAME_CHARACTERS])


def _untagged(address: str) -> str:
    """Replies come to addresses of ours with a tag, such as help+7f3a@lumora.example."""
    local, at, domain = address.partition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _native_id(headers: Headers, sender: _Sender, content: Content) -> str:
    given = _message_ids(headers["Message-ID"])
    if given:
        return given[0]
    told = (headers["Date"], sender.address, headers["Subject"], content.text)
    return digest("\0".join(told))


def _message_ids(header: str) -> list[str]:
    """The ids in a header, without the angle brackets, which are no part of them (RFC 5322, 3.6.4)."""
    bare = [each for each in header.split() if "@" in each] if "<" not in header else []
    found = (identifier("".join(each.split())) for each in _MESSAGE_ID.findall(header) or bare)
    return [each for each in found if each]


def _time(date: str) -> datetime | None:
    time = read_time(date)
    return time if time and is_representable(time) else None


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="E-mail",
    transports=("mailbox", "webhook"),
    normalize=normalize,
    verification=BEARER,
    capabilities=Capabilities(
        edits=no("a mail cannot be changed"),
        deletes=no("a mail cannot be taken back"),
        threads=yes("References and In-Reply-To; a mail program that sends neither starts a new conversation"),
        own_posts=yes("From is the mailbox's address (`account`), with or without a +tag"),
        media=partly("what is attached, by its kind; its content stays in the mailbox"),
        language=partly("Content-Language, which few programs send"),
        permalinks=no("a mail has no address on the web"),
        reply=yes("SMTP with In-Reply-To and References; never to what a machine sent"),
        limits="those of the mail server; bodies are read up to 100,000 characters",
        proven=(
            "plain, HTML and multipart mail, nested parts, attachments",
            "ISO-2022-JP, KS C 5601, raw UTF-8 headers, a missing Message-ID, format=flowed",
            "a Gmail reply with quote and signature to a +tagged address; a bounce",
        ),
        unproven=("inbound hooks of mail providers", "quotes of mail programs other than Gmail", "OpenPGP and S/MIME"),
    ),
)
