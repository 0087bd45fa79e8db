"""The address that counts for a rate limit, whatever the client claims."""

import pytest
from starlette.requests import HTTPConnection

from services.ingest.address import address_of


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ([], 0, "10.0.0.1"),
        (["6.6.6.6"], 0, "10.0.0.1"),
        (["6.6.6.6, 1.2.3.4"], 1, "1.2.3.4"),
        (["6.6.6.6", "1.2.3.4, 10.0.0.9"], 2, "1.2.3.4"),
        (["1.2.3.4"], 2, "10.0.0.1"),
        ([], 1, "10.0.0.1"),
    ],
)
def test_only_our_own_proxies_are_believed(forwarded: list[str], proxies: int, address: str) -> None:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    request = HTTPConnection({"type": "http", "client": ("10.0.0.1", 5000), "headers": headers})
    assert address_of(request, proxies) == address
