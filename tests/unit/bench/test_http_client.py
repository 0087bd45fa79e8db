"""The thin HTTP client knows when a response is whole."""

import pytest

from bench.http_client import request, status_of_whole

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-type: text/plain\r\n\r\nhello"


@pytest.mark.parametrize("end", range(len(RESPONSE)))
def test_a_part_of_a_response_is_none(end: int) -> None:
    assert status_of_whole(RESPONSE[:end]) is None


def test_a_whole_response_has_its_status() -> None:
    assert status_of_whole(RESPONSE) == 200
    assert status_of_whole(b"HTTP/1.1 503 Away\r\nretry-after: 2\r\n\r\n") == 503


def test_a_request_says_how_long_it_is() -> None:
    sent = request("localhost:80", "/hooks", [("x", "y")], b"{}")
    assert sent == b"POST /hooks HTTP/1.1\r\nhost: localhost:80\r\ncontent-length: 2\r\nx: y\r\n\r\n{}"
