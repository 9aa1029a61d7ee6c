"""Manifests against Kubernetes' own schemas, as strictly as its server would check them."""

import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

_SCHEMAS = "io.k8s.apimachinery.pkg"
# What JSON has several types for.
_LOOSE = {
    f"{_SCHEMAS}.util.intstr.IntOrString": {"type": ["integer", "string"]},
    f"{_SCHEMAS}.api.resource.Quantity": {"type": ["string", "number"]},
}


@functools.cache
def _definitions() -> dict[str, Any]:
    swagger = json.loads(Path(os.environ["KUBERNETES_SCHEMAS"]).read_text())
    definitions: dict[str, Any] = {**swagger["definitions"], **_LOOSE}
    for definition in definitions.values():
        if "properties" in definition:
            # A server prunes what it does not know, which is never what was meant.
            definition.setdefault("additionalProperties", False)
    return definitions


@functools.cache
def _validator(api_version: str, kind: str) -> jsonschema.Draft4Validator:
    group, _, version = api_version.rpartition("/")
    wanted = {"group": group, "version": version, "kind": kind}
    for name, definition in _definitions().items():
        if wanted in definition.get("x-kubernetes-group-version-kind", []):
            schema = {"$ref": f"#/definitions/{name}", "definitions": _definitions()}
            return jsonschema.Draft4Validator(schema)
    raise AssertionError(f"Kubernetes has no {api_version} {kind}")


def problems(manifest: dict[str, Any]) -> Iterator[str]:
    """One line for each thing that a server would refuse or not know."""
    for error in _validator(manifest["apiVersion"], manifest["kind"]).iter_errors(manifest):
        where = "/".join(str(step) for step in error.absolute_path)
        yield f"{manifest['kind']} {where}: {error.message[:200]}"
