"""Traces and metrics of a process: OpenTelemetry, sent by OTLP where an endpoint is configured."""

from chassis.telemetry.propagation import context_from_headers, inject_headers
from chassis.telemetry.providers import Telemetry, setup
from chassis.telemetry.redaction import TextFreeExporter
from chassis.telemetry.settings import TelemetrySettings

__all__ = [
    "Telemetry",
    "TelemetrySettings",
    "TextFreeExporter",
    "context_from_headers",
    "inject_headers",
    "setup",
]
