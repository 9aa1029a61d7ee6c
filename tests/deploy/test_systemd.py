"""The unit of a worker, as systemd reads it."""

import re
import subprocess
from pathlib import Path

import pytest

from programs import INTERCOM_EXTRACT, ROOT

UNIT = ROOT / "deploy/systemd/intercom-fleet.service"
PROGRAM = "/usr/bin/intercom-extract"
# Of 10, by systemd's own count of what a service may do.
MOST_EXPOSURE = 1.5
USAGE = 2


def _setting(name: str) -> list[str]:
    text = UNIT.read_text().replace("\\\n", " ")
    return [" ".join(found.split()) for found in re.findall(rf"^{name}=(.*)$", text, re.M)]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with the program of this build."""
    made = tmp_path / UNIT.name
    made.write_text(UNIT.read_text().replace(PROGRAM, str(INTERCOM_EXTRACT)))
    return made


def _analyze(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60
    )


def test_systemd_finds_nothing_wrong(unit: Path) -> None:
    verified = _analyze("verify", "--man=no", unit)
    # What it does not know it says, and ends with 0.
    assert verified.stdout + verified.stderr == ""
    assert verified.returncode == 0


def test_what_is_wrong_would_be_found(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in _analyze("verify", "--man=no", unit).stderr


def test_the_service_may_do_little(unit: Path) -> None:
    secure = _analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE * 10:.0f}", unit)
    assert secure.returncode == 0, secure.stdout


def test_the_command_is_one_that_the_program_takes(worker_flags: set[str]) -> None:
    [command] = _setting("ExecStart")
    words = command.split()
    assert words[:3] == [PROGRAM, "fleet", "work"]
    flags = {word.split("=")[0] for word in words if word.startswith("--")}
    assert flags >= {"--sink", "--config", "--worker"}
    assert flags <= worker_flags
    # The name of the machine, which stays what it is.
    assert "--worker=%H" in words


def test_secrets_are_in_no_argument_and_only_root_reads_them() -> None:
    [command] = _setting("ExecStart")
    assert set(re.findall(r"\$\{?(\w+)", command)) == {
        "INTERCOM_FLEET_SINK",
        "INTERCOM_FLEET_FLAGS",
    }
    assert _setting("LoadCredential") == ["tokens:/etc/intercom-fleet/tokens"]
    assert _setting("EnvironmentFile") == ["/etc/intercom-fleet/environment"]
    assert _setting("Environment") == []
    assert _setting("DynamicUser") == ["yes"]


def test_a_worker_gets_time_to_end_and_is_started_again() -> None:
    assert _setting("Restart") == ["on-failure"]
    assert _setting("RestartPreventExitStatus") == [str(USAGE)]
    # A transaction may take a minute; a worker that is back within a session keeps its place.
    assert int(_setting("TimeoutStopSec")[0]) > 60
    assert int(_setting("RestartSec")[0]) < 45


def test_the_page_shows_where_credentials_are(unit: Path) -> None:
    page = (ROOT / "docs/fleet.md").read_text()
    assert f"/run/credentials/{UNIT.name}/tokens_acme" in page
    for path in (_setting("EnvironmentFile")[0], "/etc/intercom-fleet/tokens"):
        assert path in page
