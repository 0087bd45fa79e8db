"""Reads the Kubernetes manifests as they stand in files, without kustomize."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
K8S: Final = DEPLOY / "k8s"
BASE: Final = K8S / "base"
SERVICES: Final = ("ingest", "routing", "responder", "feedback")
Manifest = dict[str, Any]


def documents(path: Path) -> list[Manifest]:
    """The manifests of one file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def manifests(folder: Path = K8S) -> Iterator[tuple[Path, Manifest]]:
    """Every manifest and patch below `folder`, with its file."""
    for path in sorted(folder.rglob("*.yaml")):
        if path.name != "kustomization.yaml" and path.parent.name not in {"schemas", "rules"}:
            yield from ((path, document) for document in documents(path))


def whole_manifests() -> Iterator[tuple[Path, Manifest]]:
    """Those of them that stand by themselves and are no patches, as the kustomizations say."""
    for kustomization in sorted(K8S.rglob("kustomization.yaml")):
        for name in yaml.safe_load(kustomization.read_text())["resources"]:
            path = kustomization.parent / name
            if path.is_file():
                yield from ((path, document) for document in documents(path))


def named(path: Path, kind: str) -> Manifest:
    """The only manifest of a kind in a file."""
    (found,) = [document for document in documents(path) if document["kind"] == kind]
    return found


def deployment(service: str) -> Manifest:
    """The deployment of a service in the base."""
    return named(BASE / f"{service}.yaml", "Deployment")


def pod_of(manifest: Manifest) -> Manifest:
    """The pod that a workload makes."""
    pod: Manifest = manifest["spec"]["template"]["spec"]
    return pod


def containers_of(manifest: Manifest) -> list[Manifest]:
    """The containers of a workload, those that run before or beside the others included; none of other manifests."""
    template = manifest.get("spec", {}).get("template") or {}
    pod = template.get("spec", {})
    return [*pod.get("initContainers", []), *pod.get("containers", [])]


def shared_configuration(folder: Path = BASE) -> dict[str, str]:
    """What a config.env says."""
    lines = (folder / "config.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def variables(container: Manifest) -> dict[str, Manifest]:
    """The variables that a container names itself, without those that a patch takes away."""
    return {each["name"]: each for each in container.get("env", []) if each.get("$patch") != "delete"}


def mentioned(container: Manifest) -> set[str]:
    """The variables that others of the same container are put together from."""
    values = (str(each.get("value", "")) for each in container.get("env", []))
    return {name for value in values for name in re.findall(r"\$\((\w+)\)", value)}
