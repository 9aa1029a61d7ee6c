"""What ./run package makes, installed in a clean Debian and used there."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / ".build/package"
VERSION = (ROOT / "release/version.txt").read_text().strip()
UNIT = ROOT / "deploy/systemd/intercom-extractor-server.service"


def output_of(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def the(pattern: str) -> Path:
    (found,) = PACKAGES.glob(pattern)
    return found


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a clean Debian with both packages."""
    folder = tmp_path_factory.mktemp("debian")
    archive, root = folder / "root.tar", folder / "root"
    rootfs = ROOT / "deploy/container/rootfs.sh"
    subprocess.run([rootfs, archive, *sorted(PACKAGES.glob("*.deb"))], check=True)
    root.mkdir()
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", root], check=True)
    archive.unlink()
    return root


def in_chroot(root: Path, *command: str) -> list[str | Path]:
    return ["chroot", root, "/usr/bin/env", "--chdir=/tmp", *command]


def test_installed_programs_run_the_demo_without_bazel(debian: Path) -> None:
    assert not [*debian.glob("usr/bin/*bazel*"), *debian.glob("usr/bin/*g++*")]
    demo = subprocess.run(
        in_chroot(debian, "intercom-extractor-demo"), capture_output=True, text=True, check=False
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "PASS: 22 of 22 tables are as expected" in demo.stdout


@pytest.fixture
def server(debian: Path) -> Iterator[subprocess.Popen[str]]:
    command = [
        "intercom-extractor-server",
        *("--config", "/etc/intercom-extractor/server.yaml"),
        *("--listen", "127.0.0.1:0", "--log-format", "json"),
    ]
    environment = {**os.environ, "INTERCOM_ACCESS_TOKEN": "unused"}
    process = subprocess.Popen(
        in_chroot(debian, *command), env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_packaged_configuration_serves(server: subprocess.Popen[str]) -> None:
    assert server.stderr is not None
    lines = []
    while not (lines and "listening on 127.0.0.1:" in lines[-1]["message"]):
        line = server.stderr.readline()
        assert line, lines
        lines.append(json.loads(line))
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=30) == 0


@pytest.mark.parametrize("program", ["intercom-extract", "intercom-extractor-server"])
def test_programs_say_from_which_commit_they_are(debian: Path, program: str) -> None:
    said = output_of(*in_chroot(debian, program, "--version"))
    commit = output_of("git", "-C", ROOT, "rev-parse", "--short=12", "HEAD").strip()
    assert said.startswith(f"{program} {VERSION}\n")
    assert f"revision   {commit}" in said


def test_packages_are_as_debian_wants_them() -> None:
    lintian = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", *PACKAGES.glob("*.deb")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert lintian.returncode == 0, lintian.stdout


def test_each_command_has_a_manual() -> None:
    names = output_of("dpkg-deb", "--contents", the("intercom-extractor_*.deb"))
    manuals = set(re.findall(r"man1/(\S+)\.1\.gz", names))
    assert {"intercom-extract", "intercom-extractor-server", "intercom-extract-extract"} <= manuals
    program = ROOT / "bazel-bin/clients/cli/intercom-extract"
    commands = output_of(program, "--help").split("Subcommands:\n")[1].split("\n\n")[0]
    for line in commands.splitlines():
        assert f"intercom-extract-{line.split()[0]}" in manuals


def test_one_commit_gives_the_same_bytes_again(tmp_path: Path) -> None:
    programs = (
        ROOT / "bazel-bin" / name
        for name in (
            "clients/cli/intercom-extract",
            "server/intercom-extractor-server",
            "tests/fake_intercom/fake-intercom",
        )
    )
    subprocess.run([ROOT / "deploy/debian/build.sh", VERSION, tmp_path, *programs], check=True)
    for package in PACKAGES.glob("*.deb"):
        assert (tmp_path / package.name).read_bytes() == package.read_bytes(), package.name


def test_the_unit_is_valid_and_exposed_little(tmp_path: Path) -> None:
    # The program is not installed here.
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/bin/intercom-extractor-server", "/bin/true"))
    verify = ["systemd-analyze", "verify", "--man=no", unit]
    verified = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    # In tenths.
    output_of("systemd-analyze", "security", "--offline=true", "--threshold=15", UNIT)


def test_the_image_runs_the_server_as_nobody(tmp_path: Path) -> None:
    folders = ["--root", tmp_path / "storage", "--runroot", tmp_path / "run"]
    buildah = ["buildah", *folders, "--storage-driver", "vfs"]
    image = f"oci-archive:{the('*.oci.tar')}"
    container = output_of(*buildah, "from", "--quiet", image).strip()
    config = json.loads(output_of(*buildah, "inspect", container))["OCIv1"]["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/usr/bin/intercom-extractor-server"]
    run = [*buildah, "run", "--isolation", "chroot", container, "--"]
    assert VERSION in output_of(*run, *config["Entrypoint"], "--version")
    assert output_of(*run, "id", "-u").strip() == "65532"


def test_every_library_stands_in_the_notices() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text()
    libraries = re.findall(
        r'^system_library\(\n    name = "(\w+)"', (ROOT / "WORKSPACE").read_text(), re.M
    )
    assert len(libraries) > 10
    for library in libraries:
        assert re.search(rf"\b{library}\b", notices), library
