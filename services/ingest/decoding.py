"""Bytes and plain values into typed ones, or an `Invalid` that names the field: nothing in here raises."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from services.ingest.rawpost import Invalid

T = TypeVar("T")

_PATH: Final = re.compile(r"\A(?P<what>.*?)(?: - at `\$?\.?(?P<path>.*)`)?\Z", re.DOTALL)
_NAMED: Final = re.compile(r"\AObject (?:missing required|contains unknown) field `(?P<name>[^`]*)`")


def decode_json(decoder: "msgspec.json.Decoder[T]", data: bytes) -> T | Invalid:
    """Read JSON of one type."""
    return _attempt(lambda: decoder.decode(data))


def convert(fields: dict[str, Any], wanted: type[T]) -> T | Invalid:
    """Check plain values against the same rules that JSON is checked against."""
    return _attempt(lambda: msgspec.convert(fields, wanted))


def _attempt(read: Callable[[], T]) -> T | Invalid:
    try:
        return read()
    except msgspec.ValidationError as error:
        return _explain(str(error))
    except UnicodeDecodeError:
        return Invalid("", "the text is not UTF-8")
    except (msgspec.DecodeError, RecursionError) as error:
        return Invalid("", f"this is no JSON: {str(error).removeprefix('JSON is malformed: ')}")


def _explain(message: str) -> Invalid:
    """Turn msgspec's "Expected `str`, got `int` - at `$.author.id`" into field and description."""
    match = _PATH.fullmatch(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    if named := _NAMED.match(what):
        path = f"{path}.{named['name']}".removeprefix(".")
    return Invalid(path, what)
