"""Reading the body of an answer: whole and inflated, and never more of it than a limit."""

import zlib
from typing import Final

import httpx

_PLAIN: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS


class TooLarge(httpx.TransportError):
    """The answer, inflated, is larger than we read."""


def is_packed(response: httpx.Response) -> bool:
    """Whether the body is to be inflated before it can be read."""
    return _encoding(response) not in _PLAIN


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """Read and inflate no more than `limit` bytes, so that a small answer cannot fill the memory.

    Raises `TooLarge`, and `httpx.DecodingError` where not all of it can be inflated: half an answer is none.
    """
    inflater = _inflater(response)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += _inflated(inflater, chunk, limit + 1 - len(body)) if inflater else chunk
        if len(body) > limit:
            raise TooLarge(f"the answer has more than {limit} bytes")
    if inflater and response.num_bytes_downloaded and not inflater.eof:
        raise httpx.DecodingError("the answer ends in the middle")
    return bytes(body)


def _inflater(response: httpx.Response) -> "zlib._Decompress | None":
    if not is_packed(response):
        return None
    if _encoding(response) not in _GZIP:
        raise httpx.DecodingError("the answer is packed in a way that was not asked for")
    return zlib.decompressobj(_GZIP_OR_ZLIB)


def _inflated(inflater: "zlib._Decompress", chunk: bytes, most: int) -> bytes:
    try:
        inflated = inflater.decompress(chunk, most)
    except zlib.error as error:
        raise httpx.DecodingError("the answer is no valid gzip") from error
    if inflater.unused_data:
        raise httpx.DecodingError("the answer goes on behind its end")
    return inflated


def _encoding(response: httpx.Response) -> str:
    named: str = response.headers.get("content-encoding", "")
    return named.strip().lower()
