"""The README, the example and the command against a real server and the fake workspace."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from intercom_extractor import Client
from intercom_extractor.descriptions import known_tables
from programs import ACCESS_TOKEN, Fake, running_fake, running_server
from tables import TABLES

CLIENT = Path(__file__).resolve().parents[1]
DEFAULT_ADDRESS = "localhost:50051"


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    with running_fake(tmp_path_factory.mktemp("fake") / "log") as started:
        yield started


@pytest.fixture(scope="module")
def server(fake: Fake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    config = folder / "server.yaml"
    config.write_text(
        "connections:\n"
        "  - name: default\n"
        f"    base_url: {fake.base_url}\n"
        "    access_token_env: INTERCOM_ACCESS_TOKEN\n"
    )
    with running_server(config, folder / "log") as address:
        yield address


def run(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "MPLCONFIGDIR": str(folder)},
    )
    assert ACCESS_TOKEN not in done.stdout + done.stderr
    return done


SNIPPETS = re.findall(r"```python\n(.*?)```", (CLIENT / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_what_the_readme_shows_runs(server: str, tmp_path: Path, number: int) -> None:
    assert len(SNIPPETS) >= 4
    snippet = SNIPPETS[number]
    assert DEFAULT_ADDRESS in snippet
    done = run("-W", "error", "-c", snippet.replace(DEFAULT_ADDRESS, server), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    if number == 0:
        # The ten lines at the top print every row that they name.
        assert len(done.stdout.splitlines()) == 260


def test_the_example_draws_its_plot(server: str, tmp_path: Path) -> None:
    example = CLIENT / "examples" / "response_times.py"
    done = run(example, server, "plot.png", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "60 conversations, 48 with an answer" in done.stdout
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def extract(server: str, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    module = ("-m", "intercom_extractor.command")
    return run(*module, "--server", server, "--output", "out", *flags, folder=folder)


def test_tables_are_known_without_a_server_as_it_lists_them(server: str) -> None:
    with Client(server) as client:
        assert known_tables() == client.tables()


def test_the_command_writes_every_table(server: str, tmp_path: Path) -> None:
    done = extract(server, tmp_path, "--timestamps")
    assert done.returncode == 0, done.stderr
    files = {path.stem: pq.read_table(path) for path in (tmp_path / "out").iterdir()}
    assert set(files) == set(TABLES)
    assert files["users"].num_rows == 200
    assert "100%" in done.stderr, "the progress bar"
    assert re.search(r"^users +200 +complete$", done.stderr, re.M)
    for table in files.values():
        table.validate(full=True)


def test_the_command_says_what_is_wrong_and_ends_as_documented(server: str, tmp_path: Path) -> None:
    wrong = extract(server, tmp_path, "--tables", "userz")
    assert wrong.returncode == 2
    assert "BAD_REQUEST" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    away = extract("127.0.0.1:1", tmp_path)
    assert away.returncode == 5
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "file").write_text("")
    output = run(
        *("-m", "intercom_extractor.command", "--server", server, "--output", "file/out"),
        folder=tmp_path,
    )
    assert output.returncode == 6
    assert extract(server, tmp_path, "--caller-token-file", "missing").returncode == 6


def test_the_command_is_quiet_when_asked_to(server: str, tmp_path: Path) -> None:
    done = extract(server, tmp_path, "--quiet", "--tables", "tags")
    assert done.returncode == 0
    assert "rows/s" not in done.stderr


def test_a_table_that_failed_makes_the_run_partial(tmp_path: Path) -> None:
    config = tmp_path / "server.yaml"
    with running_fake(tmp_path / "fake.log", "--faults=scope_missing:/tags") as fake:
        config.write_text(
            "connections:\n"
            "  - name: default\n"
            f"    base_url: {fake.base_url}\n"
            "    access_token_env: INTERCOM_ACCESS_TOKEN\n"
        )
        with running_server(config, tmp_path / "server.log") as address:
            done = extract(address, tmp_path, "--tables", "tags,admins")
    assert done.returncode == 4, done.stderr
    assert re.search(r"^tags +0 +failed: ", done.stderr, re.M)
    assert (tmp_path / "out" / "admins.parquet").exists()
    assert not (tmp_path / "out" / "tags.parquet").exists()
