"""Calls to the world outside: one client that cannot be led to our own network (SSRF), however a URL came to us."""

from chassis.outbound.addresses import Forbidden, check_url, is_public
from chassis.outbound.body import TooLarge
from chassis.outbound.client import MAX_BODY_BYTES, Answer, OutboundClient

__all__ = ["MAX_BODY_BYTES", "Answer", "Forbidden", "OutboundClient", "TooLarge", "check_url", "is_public"]
