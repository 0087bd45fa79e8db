"""Where calls to the outside may go: encrypted, and to addresses that mean the same host for everybody."""

from ipaddress import ip_address

import pytest

from chassis.outbound import Forbidden, OutboundClient, check_url, is_public


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_addresses_of_inner_networks_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "local", "allowed"),
    [
        ("https://feeds.example/a", False, True),
        ("wss://jetstream.example/subscribe", False, True),
        ("imaps://mail.example:993", False, True),
        ("http://feeds.example/a", False, False),
        ("http://feeds.example/a", True, False),
        ("http://127.0.0.1:8080/a", False, False),
        ("http://127.0.0.1:8080/a", True, True),
        ("ws://localhost:8080/a", True, True),
        ("file:///etc/passwd", True, False),
        ("gopher://127.0.0.1/", True, False),
        ("https:///a", True, False),
        ("https://feeds.example:99999/", True, False),
        ("https://[::1", True, False),
        ("", True, False),
    ],
)
def test_urls_are_encrypted_unless_they_stay_on_this_machine_in_a_local_run(
    url: str,
    local: bool,  # noqa: FBT001
    allowed: bool,  # noqa: FBT001
) -> None:
    if allowed:
        check_url(url, local=local)
        return
    with pytest.raises(Forbidden):
        check_url(url, local=local)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "10.0.0.1", "[::1]", "[::ffff:10.0.0.1]"]
)
async def test_however_an_inner_address_is_written_it_is_not_called(host: str) -> None:
    async with OutboundClient() as outside:
        with pytest.raises(Forbidden):
            await outside.request("GET", f"https://{host}:9/")
        with pytest.raises(Forbidden):
            await outside.connect(f"imaps://{host}:9", default_port=993)
