"""The lines of docs/watching.md for grpcurl, as they stand."""

import json
import re
import subprocess
from collections.abc import Iterator

import pytest
from watched import ROOT, Watched, running

ADDRESS = "127.0.0.1:50051"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with running(tmp_path_factory.mktemp("grpcurl")) as server:
        yield server


def documented_lines() -> dict[str, str]:
    """By what each is for."""
    text = (ROOT / "docs/watching.md").read_text()
    lines = re.findall(r"^grpcurl -plaintext .*$", text, re.M)
    return dict(zip(("list", "describe", "row", "top"), lines, strict=True))


def shell(watched: Watched, name: str) -> str:
    line = documented_lines()[name].replace(ADDRESS, watched.address)
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), line
    return done.stdout


def test_list(watched: Watched) -> None:
    assert shell(watched, "list").split() == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "intercom.extractor.v1.ExtractorService",
    ]


def test_describe(watched: Watched) -> None:
    said = shell(watched, "describe")
    assert "rpc Extract (" in said
    assert "rpc ListExtractions (" in said


def test_first_row(watched: Watched) -> None:
    row = shell(watched, "row")
    assert re.match(r'\s*"tags": \[\s*\{\s*"type": "tag",\s*"id": "\d+",\s*"name": "', row), row


def test_what_runs(watched: Watched) -> None:
    assert "time" in json.loads(shell(watched, "top"))
