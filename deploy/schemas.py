#!/usr/bin/env python3
"""Lays out the JSON schemas that kubeconform reads: `schemas.py TARGET WHEEL CRDS`.

Kubernetes' own come from the wheel of kubernetes-validate, KEDA's from the CRDs of its Go module, the others from
k8s/schemas, where they are written by hand.
"""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any, Final

import yaml

KUBERNETES: Final = "kubernetes_validate/kubernetes-json-schema/v1.35.0-local-strict/"
BY_HAND: Final = Path(__file__).parent / "k8s" / "schemas"
Schema = dict[str, Any]


def of_kubernetes(wheel: Path) -> dict[str, str]:
    """File name to content."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(KUBERNETES) and name.endswith(".json")]
        return {name.removeprefix(KUBERNETES): _beside_each_other(archive.read(name).decode()) for name in names}


def _beside_each_other(text: str) -> str:
    """The same schema, pointing to its definitions beside it and not at the address that it claims to have."""
    schema = json.loads(text.replace('"/api/_definitions.json#', '"_definitions.json#'))
    schema.pop("$id", None)
    return json.dumps(schema)


def of_crd(crd: Schema) -> dict[str, str]:
    """The schema of each version that a custom resource definition serves."""
    group, kind = crd["spec"]["group"].split(".")[0], crd["spec"]["names"]["kind"].lower()
    return {
        f"{kind}-{group}-{version['name']}.json": json.dumps(closed(version["schema"]["openAPIV3Schema"]))
        for version in crd["spec"]["versions"]
    }


def by_hand(file: Path) -> dict[str, str]:
    """The schemas of one file of ours."""
    shapes = yaml.safe_load(file.read_text())
    return {f"{name}.json": json.dumps(closed(shape)) for name, shape in shapes.items()}


def closed(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """The same schema, with every object that names its properties closed to others."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    is_object = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if is_object and not schema.get("x-kubernetes-preserve-unknown-fields"):
        inner.setdefault("additionalProperties", False)
    return inner


def main(target: Path, wheel: Path, crds: Path) -> None:
    """Write all schemas into `target`."""
    files = of_kubernetes(wheel)
    for crd in sorted(crds.glob("keda.sh_*.yaml")):
        files |= of_crd(yaml.safe_load(crd.read_text()))
    for file in sorted(BY_HAND.glob("*.yaml")):
        files |= by_hand(file)
    target.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (target / name).write_text(text)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
