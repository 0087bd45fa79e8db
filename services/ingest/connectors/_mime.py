"""A mail as the standard library parses it, made total: bounded before it is parsed, and decoded without trust."""

import binascii
import codecs
import email
import quopri
import re
from email.message import Message
from itertools import groupby
from typing import Final

_MOST_PARTS_IN_PARTS: Final = 100
_MOST_WORK: Final = 1_500_000
"""Lines times depth: the standard library asks every open part about every line."""
_MOST_HEADERS: Final = 5_000
_MOST_BOUNDARIES: Final = 10_000
_MAX_ATTACHED_CHARACTERS: Final = 2_000_000
_MAX_TYPE_CHARACTERS: Final = 4_000
_MAX_HEADER_CHARACTERS: Final = 50_000
_MAX_DECODED_CHARACTERS: Final = 4_000

_NESTING: Final = re.compile(rb"(?:multipart|message)/", re.IGNORECASE)
_CONTENT_TYPE: Final = re.compile(rb"content-type[ \t]*:[^\r\n]*(?:[\r\n]+[ \t][^\r\n]*)*", re.IGNORECASE)
_BASE64_LINES: Final = re.compile(rb"^(?:[A-Za-z0-9+/=]{40,100}\r?\n)++", re.MULTILINE)
_FOLD: Final = re.compile(r"[\r\n]+[ \t]*")
_END_OF_HEADERS: Final = re.compile(rb"\r?\n\r?\n")
_ENCODED_WORD: Final = re.compile(r"(=\?[^?\s]{1,80}\?[bBqQ]\?[^?]*\?=)")
# Names that a charset may have; what else Python calls a codec (hex, punycode, unicode_escape) is none.
_CHARSETS: Final = re.compile(r"(ascii|utf|iso|cp\d|koi8|euc|gb|big5|shift|mac|hz|johab|tis|kz1048|ptcp154)")
# Labels under which senders ship what is a superset: the WHATWG Encoding Standard reads them so too.
_SUPERSETS: Final = {
    "iso8859-1": "cp1252",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
}
_ALIASES: Final = {
    "ks_c_5601": "cp949",
    "windows-874": "cp874",
    "x-sjis": "cp932",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gb18030",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "x-mac-roman": "mac_roman",
}


class Headers:
    """The headers of a mail, or of a part of it: looked up in any case, unfolded, "" where there is none."""

    def __init__(self, message: Message) -> None:
        self._values: dict[str, str] = {}
        for name, value in message.raw_items():
            self._values.setdefault(name.lower(), _unfolded(str(value)))

    def __getitem__(self, name: str) -> str:
        """The first header of that name, as it stands there."""
        return self._values.get(name.lower(), "")

    def __contains__(self, name: str) -> bool:
        """Whether there is such a header, be it empty."""
        return name.lower() in self._values

    def __len__(self) -> int:
        """How many different headers there are."""
        return len(self._values)

    def decoded(self, name: str) -> str:
        """The first header of that name, as people read it."""
        return decoded_words(self[name])

    def word(self, name: str) -> str:
        """The first word of a header in lower case, such as "attachment"; what follows a semicolon is left out."""
        return self[name].partition(";")[0].strip().lower()


def parsed(data: bytes) -> Message | None:
    """Parse a mail; None where it would cost more than any real one does.

    What is attached is cut, since none of it is read: the standard library reads it line by line.
    """
    data = _BASE64_LINES.sub(lambda lines: lines[0][:_MAX_ATTACHED_CHARACTERS], data)
    if not _is_bounded(data):
        return None
    try:
        return email.message_from_bytes(data)
    except RecursionError:
        return None


def body_of(part: Message) -> bytes:
    """The content of a part that has no parts, out of its transfer encoding."""
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError):
        content = None
    return content if isinstance(content, bytes) else b""


def text_of(data: bytes, charset: str) -> str:
    """Decode bytes: by their charset, or as what they most likely are where it is missing, unknown or wrong."""
    codec = _codec(charset)
    if codec and codec != "ascii":
        try:
            return data.decode(codec)
        except UnicodeError:
            pass
    try:
        return data.decode()
    except UnicodeDecodeError:
        is_utf8 = not data.decode("utf-8", "ignore").isascii()  # but for a few bytes, such as at a cut
        guess = "utf-8" if is_utf8 else "cp1252"
        return data.decode(guess if codec in {None, "ascii", "utf-8"} else str(codec), "replace")


def decoded_words(raw: str) -> str:
    """Decode the encoded words (RFC 2047) of a header; white space between two of them is none."""
    pieces = _ENCODED_WORD.split(raw[:_MAX_DECODED_CHARACTERS])
    for between in range(2, len(pieces) - 2, 2):
        pieces[between] = pieces[between] if pieces[between].strip() else ""
    # A character may be torn apart between two words, so that bytes are joined before they are decoded.
    groups = groupby((_word(each) for each in pieces if each), key=lambda word: word[0])
    return "".join(
        "".join(text for _, text, _ in words)
        if charset is None
        else text_of(b"".join(data for _, _, data in words), charset)
        for charset, words in groups
    )


def _is_bounded(data: bytes) -> bool:
    depth = len(_NESTING.findall(data))
    lines = max(data.count(b"\n"), data.count(b"\r"))
    headers = _END_OF_HEADERS.split(data, maxsplit=1)[0]
    return (
        depth <= _MOST_PARTS_IN_PARTS
        and (depth + 1) * lines <= _MOST_WORK
        and headers.count(b"\n") <= _MOST_HEADERS
        and data.count(b"\n--") <= _MOST_BOUNDARIES
        and all(len(each[0]) <= _MAX_TYPE_CHARACTERS for each in _CONTENT_TYPE.finditer(data))
    )


def _unfolded(value: str) -> str:
    """One line; bytes that are no ASCII (RFC 6532, or a broken sender) are read as UTF-8, else as Windows-1252."""
    data = value[:_MAX_HEADER_CHARACTERS].encode("utf-8", "surrogateescape")
    return _FOLD.sub(" ", text_of(data, "")).strip()


def _word(piece: str) -> tuple[str | None, str, bytes]:
    """Charset (None: it is plain), plain text and encoded bytes of a piece of a header."""
    if not _ENCODED_WORD.fullmatch(piece):
        return None, piece, b""
    charset, encoding, content = piece[2:-2].split("?", 2)
    try:
        if encoding in "bB":
            data = binascii.a2b_base64(content.rstrip("=") + "===")
        else:
            data = quopri.decodestring(content.encode(), header=True)
    except (ValueError, binascii.Error):
        return None, piece, b""
    return charset.partition("*")[0].lower(), "", data


def _codec(charset: str) -> str | None:
    """Python's name of a charset; None where it is none."""
    name = charset.strip().lower()
    if not re.fullmatch(r"[a-z0-9_.:-]{1,40}", name):
        return None
    alias = next((each for label, each in _ALIASES.items() if name.startswith(label)), name)
    try:
        codec = codecs.lookup(alias).name
    except (LookupError, ValueError):
        return None
    return _SUPERSETS.get(codec, codec) if _CHARSETS.match(codec) else None
