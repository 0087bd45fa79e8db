"""Kafka and PostgreSQL from the official images, by testcontainers: `--infra=containers`."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import docker
import pytest
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from local.ports import LOOPBACK

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "pgvector/pgvector:pg18"
_KAFKA_PORT = 9092


@contextmanager
def running_containers() -> Iterator[tuple[str, str]]:
    """Bootstrap servers and superuser's DSN; the run ends with a clear word where no Docker daemon answers."""
    try:
        docker.from_env().ping()
    except docker.errors.DockerException as error:
        pytest.exit(f"--infra=containers needs a Docker daemon, and none answers: {error}", returncode=4)
    with ExitStack() as stack:
        bootstrap = stack.enter_context(_kafka())
        postgres = stack.enter_context(PostgresContainer(POSTGRES_IMAGE, driver=None))
        yield bootstrap, postgres.get_connection_url()


@contextmanager
def _kafka() -> Iterator[str]:
    """One KRaft node; clients must reach it under the address that it advertises, so its port is chosen here."""
    port = _free_port()
    environment = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"CLIENT://:{_KAFKA_PORT},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"CLIENT://{LOOPBACK}:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "CLIENT",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_MESSAGE_MAX_BYTES": str(20 * 1024 * 1024),
    }
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(_KAFKA_PORT, port)
    for name, value in environment.items():
        container = container.with_env(name, value)
    with container.waiting_for(LogMessageWaitStrategy("Kafka Server started")):
        yield f"{LOOPBACK}:{port}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
