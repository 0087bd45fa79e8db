"""Ports are kept from one start to the next, and given up only when somebody else has them."""

import socket
from pathlib import Path

from local.ports import CANDIDATES, LOOPBACK, remembered_ports


def test_ports_are_remembered_and_given_up_when_taken(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first = remembered_ports(path, ["one", "two"])
    assert remembered_ports(path, ["one", "two"]) == first
    with socket.create_server((LOOPBACK, first["one"])):
        second = remembered_ports(path, ["one", "two"])
    assert second["one"] != first["one"]
    assert second["two"] == first["two"]


def test_a_damaged_memory_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text('{"one": 2')
    assert remembered_ports(path, ["one"])["one"] in CANDIDATES
