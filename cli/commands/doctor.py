"""`ascolto doctor`: looks whether everything that Ascolto needs is there and well."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Annotated

import asyncpg
import grpc
from google.protobuf.internal import api_implementation
from grpc_health.v1 import health_pb2

from chassis.kafka import KafkaSettings
from chassis.kafka.admin import committed_offsets, require_topics
from chassis.kafka.reading import end_offsets
from cli.console import JSON_OPTION, print_rows
from cli.errors import CommandError
from cli.project import SERVICES, WITH_STORE
from cli.settings import Addresses, load_addresses
from contracts.provision import specifications
from contracts.topics import consumed_by, groups_of, service_of

LAG_TO_WORRY_ABOUT = 10_000


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `advice` tells what to do where it is not well."""

    what: str
    well: bool
    detail: str
    advice: str = ""


def doctor(as_json: Annotated[bool, JSON_OPTION] = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Look at the runtime, PostgreSQL, Kafka, the topics, the lag and the services; exit 1 where something is wrong."""
    findings = asyncio.run(examine(load_addresses()))
    rows = [asdict(finding) | {"well": finding.well if as_json else _mark(finding)} for finding in findings]
    print_rows(rows, ["well", "what", "detail", "advice"], as_json=as_json)
    ill = [finding.what for finding in findings if not finding.well]
    if ill:
        raise CommandError(f"Not well: {', '.join(ill)}.")


async def examine(addresses: Addresses) -> list[Finding]:
    """Everything that can be looked at, in the order in which things depend on each other."""
    findings = [_runtime()]
    findings += await _looked(_postgres, addresses, "PostgreSQL", "Is it running, and is POSTGRES_DSN right?")
    findings += await _looked(_kafka, addresses, "Kafka", "Is it running, and is KAFKA_BOOTSTRAP_SERVERS right?")
    for found in await asyncio.gather(*(_service(addresses, name) for name in SERVICES)):
        findings += found
    return findings


async def _looked(
    look: Callable[[Addresses], Awaitable[list[Finding]]], addresses: Addresses, what: str, advice: str
) -> list[Finding]:
    try:
        return await look(addresses)
    except CommandError as error:
        return [Finding(what, False, "address not known", str(error))]
    except Exception as error:  # noqa: BLE001 - whatever it is, the doctor reports it
        return [Finding(what, False, f"{type(error).__name__}: {error}", advice)]


def _runtime() -> Finding:
    fast = api_implementation.Type() == "upb"
    detail = f"Python {sys.version.split()[0]}, protobuf {api_implementation.Type()}"
    return Finding("runtime", fast, detail, "" if fast else "Install the protobuf wheel with its C core (upb).")


async def _postgres(addresses: Addresses) -> list[Finding]:
    connection = await asyncpg.connect(addresses.need("postgres_dsn"), timeout=5.0)
    try:
        version = await connection.fetchval("show server_version")
        schemas = {row[0] for row in await connection.fetch("select schema_name from information_schema.schemata")}
        missing = [name for name in WITH_STORE if name not in schemas]
        return [
            Finding("PostgreSQL", True, f"version {version}"),
            Finding(
                "schemas",
                not missing,
                "missing: " + ", ".join(missing) if missing else "all there",
                "Run `ascolto migrate`." if missing else "",
            ),
        ]
    finally:
        await connection.close()


async def _kafka(addresses: Addresses) -> list[Finding]:
    settings = KafkaSettings(
        bootstrap_servers=tuple(addresses.need("kafka_bootstrap_servers").split(",")), connect_timeout_seconds=5.0
    )
    names = [specification.name for specification in specifications()]
    await require_topics(settings, names)
    groups = [group for service in SERVICES for group in groups_of(service)]
    return [Finding("Kafka", True, f"{len(names)} topics"), *[await _lag(settings, group) for group in groups]]


async def _lag(settings: KafkaSettings, group: str) -> Finding:
    ends = await end_offsets(settings, [topic.name for topic in consumed_by(group)])
    committed = await committed_offsets(settings, group)
    lag = sum(end - committed.get(place, 0) for place, end in ends.items())
    well = lag < LAG_TO_WORRY_ABOUT
    advice = "" if well else f"Start more processes of {service_of(group)}."
    return Finding(f"lag of {group}", well, f"{lag:,} records", advice)


async def _service(addresses: Addresses, name: str) -> list[Finding]:
    """Whether a service wants work, and what works less well in it than it should."""
    target = getattr(addresses, f"{name}_grpc")
    if not target:
        return [Finding(name, False, "address not known", f"Set ASCOLTO_{name.upper()}_GRPC.")]
    async with grpc.aio.insecure_channel(target) as channel:
        try:
            well, reasons = await _asked(channel, "readiness")
            ready = Finding(name, well, f"{target}: {_told(reasons) or 'ready'}", "" if well else "Its log tells why.")
            _, degraded = await _asked(channel, "degradation")
        except grpc.aio.AioRpcError as error:
            return [Finding(name, False, f"{target}: {error.code().name}", "Is it running? Its log tells why not.")]
    advice = 'See docs/errors.md, "When the ledger is not balanced".'
    return [ready, *([Finding(f"{name} is degraded", False, _told(degraded), advice)] if degraded else [])]


async def _asked(channel: grpc.aio.Channel, what: str) -> tuple[bool, list[str]]:
    ask = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    call = ask(health_pb2.HealthCheckRequest(service=what), timeout=5.0)
    answer = await call
    reasons = [str(value) for key, value in await call.trailing_metadata() if key == "reason"]
    return answer.status == health_pb2.HealthCheckResponse.SERVING, reasons


def _told(reasons: list[str]) -> str:
    return "; ".join(reasons)


def _mark(finding: Finding) -> str:
    return "✓" if finding.well else "✗"
