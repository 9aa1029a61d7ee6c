"""The flag that opens the port, and what it refuses."""

import re
import subprocess
import urllib.request
from pathlib import Path

from watched import until

from programs import ACCESS_TOKEN, INTERCOM_SERVER, clean_environment


def start(tmp_path: Path, metrics_listen: str) -> subprocess.Popen[bytes]:
    config = tmp_path / "server.yaml"
    # Nobody has to be there: nothing is asked of Intercom.
    config.write_text(
        "listen: 127.0.0.1:0\nconnections:\n  - name: default\n"
        "    base_url: http://127.0.0.1:1\n    access_token_env: INTERCOM_ACCESS_TOKEN\n"
    )
    with (tmp_path / "log").open("wb") as log:
        return subprocess.Popen(
            [INTERCOM_SERVER, "--config", config, "--metrics-listen", metrics_listen],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=clean_environment(INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN),
        )


def test_the_flag_opens_the_port_and_the_log_says_where(tmp_path: Path) -> None:
    process = start(tmp_path, "127.0.0.1:0")
    try:
        said = until(
            lambda: re.search(r"status page on (http://[\d.:]+/)", (tmp_path / "log").read_text()),
            "the log says where",
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(said[1] + "readyz", timeout=10) as answer:
            assert answer.read() == b"ok\n"
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def test_an_address_that_others_reach_is_refused(tmp_path: Path) -> None:
    assert start(tmp_path, "0.0.0.0:0").wait(timeout=30) == 2
    assert "metrics.allow_plaintext: true" in (tmp_path / "log").read_text()
