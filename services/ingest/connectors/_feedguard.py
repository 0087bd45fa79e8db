"""What a feed may not be, asked of its bytes before a parser sees them."""

import re
from typing import Final

MAX_BYTES: Final = 5_000_000
_MOST_TAGS: Final = 100_000
_MAX_NAME_BYTES: Final = 5_000

# A feed declares no entities; a document that does wants them to multiply, or to be fetched.
_ENTITIES: Final = re.compile(rb"<!entity|<!doctype[^>]{0,2000}\[")
_ENCODING: Final = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']?([^\"'?>]*)")
# Encodings in which "<" is written as "<": in others the questions below would miss their answers.
_READABLE: Final = re.compile(
    rb"\s*(?:utf[-_]?(?:8|16|32)(?:[-_]?[bl]e)?|us-ascii|ascii|iso[-_]?8859[-_]\d+|latin-?\d|(?:windows-?|cp-?)125\d"
    rb"|iso-2022-jp|shift[-_]jis|x-sjis|euc[-_]\w\w|gb2312|gbk|gb18030|big5|ks_c_5601-1987|koi8-[ru])\s*",
)
# feedparser seeks an e-mail address in what these hold, in a time that grows with the square of its length.
_PERSON: Final = re.compile(
    rb"<([^\s<>/:]{0,100}:?(?:author|creator|managingeditor|publisher|webmaster|owner))(?![\w.:-])"
    rb"(?!(?:\s+[\w:.-]+\s*=\s*\"[^\"<>]*\")*\s*/>)",
)


def why_refused(body: bytes) -> str | None:
    """What is wrong with a document, for people; None where it may be parsed."""
    if len(body) > MAX_BYTES:
        return f"a feed has at most {MAX_BYTES:,} bytes"
    if declares_entities(body):
        return "a feed that declares entities is not read"
    plain = _plain(body)
    declared = _ENCODING.search(plain[:1000])
    if declared and not _READABLE.fullmatch(declared[1]):
        return "its encoding is none that feeds are written in"
    if plain.count(b"<") > _MOST_TAGS:
        return f"a feed has at most {_MOST_TAGS:,} tags"
    if any(not _ends_soon(plain, each) for each in _PERSON.finditer(plain)):
        return "nobody has a name that long"
    return None


def declares_entities(body: bytes) -> bool:
    """Whether an XML document brings definitions of its own."""
    return _ENTITIES.search(_plain(body)) is not None


def _plain(body: bytes) -> bytes:
    """In lower case; UTF-16 and UTF-32 become readable without their zeros."""
    return body.replace(b"\0", b"").lower()


def _ends_soon(plain: bytes, tag: re.Match[bytes]) -> bool:
    return plain.find(b"</" + tag[1], tag.end(), tag.end() + _MAX_NAME_BYTES) >= 0
