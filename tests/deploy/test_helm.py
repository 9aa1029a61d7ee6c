"""The chart of a fleet, as Helm renders it and Kubernetes would take it."""

import copy
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import problems

from programs import INTERCOM_EXTRACT, ROOT, clean_environment

CHART = ROOT / "deploy/helm/intercom-fleet"
HELM = os.environ["HELM"]
MOST_BYTES = 1 << 20  # Of a ConfigMap or Secret.
OUTPUT = 6

Values = dict[str, Any]
Manifests = dict[str, Any]  # By kind; of each there is one.

LEAST: Values = {
    "image": {"repository": "registry.example.com/intercom-extract"},
    "kafka": {"url": "kafka://k1:9092,k2:9092/?prefix=crm."},
    "workspaces": [{"name": "acme", "region": "eu"}, {"name": "beta.inc"}],
    "tokenSecrets": ["intercom-tokens"],
}
MOST: Values = {
    "image": {
        "repository": "registry.example.com/etl/intercom-extract",
        "tag": "1.2.3",
        "pullPolicy": "Always",
    },
    "imagePullSecrets": [{"name": "registry"}],
    "replicas": 40,
    "jobs": 16,
    "sessionTimeout": "1m30s",
    "quotaReserve": 0.25,
    "kafka": {
        "url": "kafka://k1:9093/?security.protocol=SASL_SSL&sasl.username=etl&ssl.ca.location=/ca/ca",
        "passwordSecret": {"name": "kafka", "key": "etl"},
    },
    "workspaces": [{"name": f"w{number}", "quota_reserve": 0.5} for number in range(3)],
    "tokenSecrets": ["tokens-1", "tokens-2"],
    "http": {"max_connections": 64},
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "extraVolumes": [{"name": "ca", "secret": {"secretName": "kafka-ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca", "readOnly": True}],
    "resources": {"requests": {"cpu": 2, "memory": "1Gi"}},
    "scratchSize": "3Gi",
    "terminationGracePeriodSeconds": 120,
    "maxUnavailable": "10%",
    "runAsUser": 1000,
    "podLabels": {"team": "data"},
    "podAnnotations": {"example.com/note": "1"},
    "nodeSelector": {"pool": "etl"},
    "tolerations": [{"key": "etl", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule",
        }
    ],
    "priorityClassName": "batch",
}


def _changed(**changes: Any) -> Values:
    return {**copy.deepcopy(LEAST), **changes}


def _helm(command: str, values: Values, folder: Path) -> "subprocess.CompletedProcess[str]":
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    more = ["--strict"] if command == "lint" else ["--namespace=etl"]
    name = [] if command == "lint" else ["crm"]
    version = f"--kube-version={os.environ['KUBERNETES_VERSION']}"
    return subprocess.run(
        [HELM, command, *name, CHART, f"--values={file}", version, *more],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOME": str(folder)},
    )


def _render(values: Values, folder: Path) -> Manifests:
    done = _helm("template", values, folder)
    assert done.returncode == 0, done.stderr
    documents = [document for document in yaml.safe_load_all(done.stdout) if document]
    manifests = {document["kind"]: document for document in documents}
    assert len(manifests) == len(documents)
    return manifests


def _pod(manifests: Manifests) -> dict[str, Any]:
    template: dict[str, Any] = manifests["StatefulSet"]["spec"]["template"]
    return template


def _worker(manifests: Manifests) -> dict[str, Any]:
    [worker] = _pod(manifests)["spec"]["containers"]
    found: dict[str, Any] = worker
    return found


def _connections(manifests: Manifests) -> list[dict[str, Any]]:
    config = yaml.safe_load(manifests["ConfigMap"]["data"]["workspaces.yaml"])
    connections: list[dict[str, Any]] = config["connections"]
    return connections


@pytest.fixture(params=[LEAST, MOST], ids=["least", "most"])
def values(request: pytest.FixtureRequest) -> Values:
    chosen: Values = copy.deepcopy(request.param)
    return chosen


def test_every_value_is_rendered_by_these_tests() -> None:
    assert set(MOST) == set(yaml.safe_load((CHART / "values.yaml").read_text()))


def test_helm_finds_nothing_wrong(values: Values, tmp_path: Path) -> None:
    linted = _helm("lint", values, tmp_path)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_kubernetes_would_take_every_manifest(values: Values, tmp_path: Path) -> None:
    manifests = _render(values, tmp_path)
    assert set(manifests) == {
        "ConfigMap",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
        "StatefulSet",
    }
    found = [problem for manifest in manifests.values() for problem in problems(manifest)]
    assert found == []


def test_what_kubernetes_would_not_take_would_be_found(tmp_path: Path) -> None:
    broken = _render(LEAST, tmp_path)["StatefulSet"]
    broken["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    del broken["spec"]["selector"]
    broken["spec"]["replicas"] = "two"
    found = "\n".join(problems(broken))
    for what in ("livenesProbe", "'selector' is a required property", "'two' is not of type"):
        assert what in found


def test_the_parts_find_each_other(values: Values, tmp_path: Path) -> None:
    manifests = _render(values, tmp_path)
    names = {manifest["metadata"]["name"] for manifest in manifests.values()}
    assert names == {"crm-intercom-fleet"}
    stateful, pod = manifests["StatefulSet"]["spec"], _pod(manifests)
    assert stateful["serviceName"] == manifests["Service"]["metadata"]["name"]
    assert pod["spec"]["serviceAccountName"] == manifests["ServiceAccount"]["metadata"]["name"]
    labels = pod["metadata"]["labels"].items()
    assert stateful["selector"]["matchLabels"].items() <= labels
    assert manifests["Service"]["spec"]["selector"].items() <= labels
    budget = manifests["PodDisruptionBudget"]["spec"]
    assert budget["selector"]["matchLabels"] == stateful["selector"]["matchLabels"]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert volumes["config"]["configMap"]["name"] == manifests["ConfigMap"]["metadata"]["name"]
    mounts = {mount["name"]: mount for mount in _worker(manifests)["volumeMounts"]}
    assert mounts.keys() == volumes.keys()
    for connection in _connections(manifests):
        folder = mounts["tokens"]["mountPath"]
        assert connection["access_token_file"] == f"{folder}/{connection['name']}"
    [file] = manifests["ConfigMap"]["data"]
    assert f"--config={mounts['config']['mountPath']}/{file}" in _worker(manifests)["args"]


def test_the_command_is_one_that_the_program_takes(
    values: Values, tmp_path: Path, worker_flags: set[str]
) -> None:
    worker = _worker(_render(values, tmp_path))
    assert worker["command"] == ["intercom-extract", "fleet", "work"]
    flags = dict(argument.split("=", 1) for argument in worker["args"])
    assert set(flags) <= worker_flags
    assert flags["--sink"] == values["kafka"]["url"]
    assert flags["--jobs"] == str(values.get("jobs", 8))
    assert flags["--quota-reserve"] == str(values.get("quotaReserve", 0.1))
    # The name of the pod, which a stateful set keeps.
    assert flags["--worker"] == "$(POD_NAME)"
    [name] = [variable for variable in worker["env"] if variable["name"] == "POD_NAME"]
    assert name["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


def test_the_program_reads_the_configuration(values: Values, tmp_path: Path) -> None:
    text = _render(values, tmp_path)["ConfigMap"]["data"]["workspaces.yaml"]
    for workspace in values["workspaces"]:
        path = f"/tokens/{workspace['name']}"
        assert path in text
        (tmp_path / workspace["name"]).write_text("token\n")
    config = tmp_path / "workspaces.yaml"
    # Regions have addresses; nothing is asked there, as Kafka is not reached.
    config.write_text(text.replace("/tokens/", f"{tmp_path}/"))
    sink = "--sink=kafka://127.0.0.1:1/?prefix=x."
    done = subprocess.run(
        [INTERCOM_EXTRACT, "fleet", "work", sink, f"--config={config}"],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment(),
    )
    assert done.returncode == OUTPUT, done.stderr
    assert "kafka://127.0.0.1:1" in done.stderr


def test_secrets_are_only_referred_to(tmp_path: Path) -> None:
    manifests = _render(MOST, tmp_path)
    worker = _worker(manifests)
    [password] = [v for v in worker["env"] if v["name"] == "INTERCOM_SINK_PASSWORD"]
    assert password == {
        "name": "INTERCOM_SINK_PASSWORD",
        "valueFrom": {"secretKeyRef": {"name": "kafka", "key": "etl"}},
    }
    [tokens] = [v for v in _pod(manifests)["spec"]["volumes"] if v["name"] == "tokens"]
    secrets = [source["secret"]["name"] for source in tokens["projected"]["sources"]]
    assert secrets == ["tokens-1", "tokens-2"]
    for connection in _connections(manifests):
        assert connection["access_token_file"].endswith(f"/{connection['name']}")
    least = _worker(_render(LEAST, tmp_path))
    assert [variable["name"] for variable in least["env"]] == ["POD_NAME"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kafka": {"url": "kafka://etl:hunter2@k1:9092/"}}, "/kafka/url"),
        ({"kafka": {"url": "kafka://k1:9092/?sasl.password=hunter2"}}, "/kafka/url"),
        ({"workspaces": [{"name": "acme", "access_token": "hunter2"}]}, "/access_token"),
        ({"workspaces": [{"name": "a/b"}]}, "/workspaces/0/name"),
        ({"workspaces": [{"name": "acme", "region": "mars"}]}, "/workspaces/0/region"),
        ({"workspaces": []}, "/workspaces"),
        ({"tokenSecrets": []}, "/tokenSecrets"),
        ({"image": {"repository": ""}}, "/image/repository"),
        ({"runAsUser": 0}, "/runAsUser"),
        ({"job": 9}, "job"),
    ],
)
def test_a_mistake_is_refused(changes: Values, why: str, tmp_path: Path) -> None:
    done = _helm("template", _changed(**changes), tmp_path)
    assert done.returncode != 0
    assert why in done.stderr


def test_the_worker_may_do_little(values: Values, tmp_path: Path) -> None:
    manifests = _render(values, tmp_path)
    pod, worker = _pod(manifests)["spec"], _worker(manifests)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == values.get("runAsUser", 65532)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert worker["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    writable = [mount for mount in worker["volumeMounts"] if not mount.get("readOnly")]
    assert {mount["mountPath"] for mount in writable} == {"/run/intercom-fleet", "/tmp"}
    for mount in writable:
        # A full one ends the pod, not the node.
        assert volumes[mount["name"]]["emptyDir"]["sizeLimit"]
    # The token's file is the group's, which is the worker's.
    assert volumes["tokens"]["projected"]["defaultMode"] == 0o440
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]


def test_memory_and_scratch_follow_from_the_jobs(tmp_path: Path) -> None:
    few, many = (_render(_changed(jobs=jobs), tmp_path) for jobs in (8, 100))
    assert _worker(few)["resources"]["requests"]["memory"] == "384Mi"
    assert _worker(many)["resources"]["requests"]["memory"] == "1856Mi"
    sizes = [
        volume["emptyDir"]["sizeLimit"]
        for manifests in (few, many)
        for volume in _pod(manifests)["spec"]["volumes"]
        if volume["name"] == "scratch"
    ]
    assert sizes == ["11Gi", "126Gi"]


def test_workers_start_anew_when_their_configuration_changes(tmp_path: Path) -> None:
    def sum_of(values: Values) -> str:
        annotations = _pod(_render(values, tmp_path))["metadata"]["annotations"]
        return str(annotations["checksum/config"])

    assert sum_of(LEAST) == sum_of(_changed(replicas=7))
    assert sum_of(LEAST) != sum_of(_changed(workspaces=[{"name": "acme"}]))


def test_probes_tell_a_worker_that_works_from_one_that_hangs(tmp_path: Path) -> None:
    worker = _worker(_render(LEAST, tmp_path))
    [path] = [a.split("=")[1] for a in worker["args"] if a.startswith("--alive-file=")]
    alive = tmp_path / "alive"

    def probe(kind: str) -> int:
        command = worker[f"{kind}Probe"]["exec"]["command"]
        assert path in command[-1]
        here = [word.replace(path, str(alive)) for word in command]
        return subprocess.run(here, stderr=subprocess.DEVNULL).returncode

    assert (probe("startup"), probe("liveness")) == (1, 1)
    alive.write_text("")
    assert (probe("startup"), probe("liveness")) == (0, 0)
    hung = alive.stat().st_mtime - 90
    os.utime(alive, (hung, hung))
    assert (probe("startup"), probe("liveness")) == (0, 1)


def test_a_pod_has_time_to_end(values: Values, tmp_path: Path) -> None:
    manifests = _render(values, tmp_path)
    assert _pod(manifests)["spec"]["terminationGracePeriodSeconds"] > 60
    assert manifests["StatefulSet"]["spec"]["podManagementPolicy"] == "Parallel"


def test_ten_thousand_workspaces_fit(tmp_path: Path) -> None:
    workspaces = [{"name": f"workspace-{number:05}", "region": "eu"} for number in range(10_000)]
    manifests = _render(_changed(workspaces=workspaces), tmp_path)
    assert len(_connections(manifests)) == 10_000
    assert len(manifests["ConfigMap"]["data"]["workspaces.yaml"]) < MOST_BYTES


def test_the_example_of_the_page_is_one(tmp_path: Path) -> None:
    page = (CHART / "README.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", page, re.S)
    assert example is not None
    linted = _helm("lint", yaml.safe_load(example[1]), tmp_path)
    assert linted.returncode == 0, linted.stdout
