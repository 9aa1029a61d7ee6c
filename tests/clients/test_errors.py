"""Errors of the real server, typed as the language types them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers import Driver, Request, Result
from process import free_port
from programs import Fake
from server import Server, running

TAGS = Request(tables=("tags",))


def error_of(result: Result) -> dict[str, Any]:
    assert result.error is not None
    assert result.json["rows"] == {}
    assert result.error["message"]
    return result.error


def test_an_unknown_table_is_a_wrong_request(
    driver: Driver, server: Server, tmp_path: Path
) -> None:
    error = error_of(driver.run(tmp_path / "run", server.address, Request(tables=("userz",))))
    assert (error["code"], error["reason"]) == ("INVALID_ARGUMENT", "BAD_REQUEST")
    assert error["retry_delay_seconds"] is None
    assert error["metadata"]["field"] == "tables"
    assert "users" in error["message"], "the server names the nearest table"


@pytest.mark.parametrize("action", ["extract", "check", "plan"])
def test_an_unknown_connection_is_refused(
    driver: Driver, server: Server, tmp_path: Path, action: str
) -> None:
    done = driver.run(tmp_path / "run", server.address, TAGS, action=action, connection="nobody")
    error = done.error
    assert error is not None
    assert (error["code"], error["reason"]) == ("NOT_FOUND", "CONNECTION_UNKNOWN")
    assert "default" in error["message"], "the server names those it has"


@pytest.fixture(scope="module")
def refused_server(fake: Fake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("refused")
    with running(Server(folder, fake.base_url, access_token="another-token")) as started:
        yield started


@pytest.mark.parametrize("action", ["extract", "check", "plan"])
def test_a_wrong_access_token_is_intercoms_refusal(
    driver: Driver, refused_server: Server, tmp_path: Path, action: str
) -> None:
    error = driver.run(tmp_path / "run", refused_server.address, TAGS, action=action).error
    assert error is not None
    assert (error["code"], error["reason"]) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert error["metadata"] == {"connection": "default"}
    assert "another-token" not in str(error)


def test_intercom_that_is_away_says_when_to_try_again(driver: Driver, tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with running(Server(tmp_path / "server", nobody)) as server:
        done = driver.run(tmp_path / "run", server.address, TAGS, action="check")
    error = done.error
    assert error is not None
    assert (error["code"], error["reason"]) == ("UNAVAILABLE", "INTERCOM_UNREACHABLE")
    assert error["retry_delay_seconds"] == 30


def test_a_server_that_is_not_there_is_said_at_once(driver: Driver, tmp_path: Path) -> None:
    result = driver.run(tmp_path / "run", f"127.0.0.1:{free_port()}", TAGS)
    error = error_of(result)
    assert (error["code"], error["reason"]) == ("UNAVAILABLE", "")
    assert result.seconds < 10
    assert result.json["reconnects"] == 0


def test_a_damaged_resume_token_is_refused_for_good(
    driver: Driver, server: Server, tmp_path: Path
) -> None:
    request = Request(tables=TAGS.tables, resume_token="bm8gdG9rZW4=")
    error = error_of(driver.run(tmp_path / "run", server.address, request))
    assert (error["code"], error["reason"]) == ("FAILED_PRECONDITION", "RESUME_TOKEN_INVALID")


def test_errors_have_types_of_their_own(
    driver: Driver, server: Server, refused_server: Server, tmp_path: Path
) -> None:
    scenarios = {
        "table": (server.address, Request(tables=("userz",))),
        "token": (refused_server.address, TAGS),
        "server": (f"127.0.0.1:{free_port()}", TAGS),
        "resume token": (server.address, Request(tables=("tags",), resume_token="AAAA")),
    }
    types = {
        error_of(driver.run(tmp_path / name, target, request))["type"]
        for name, (target, request) in scenarios.items()
    }
    assert len(types) == len(scenarios), types


class Certificates:
    """An authority, and what it signed for the server and for a client."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "ca.crt"
        self._folder = folder
        self._openssl("req", "-x509", *_NEW_KEY, "-keyout", "ca.key", "-out", "ca.crt",
                      "-days", "2", "-subj", "/CN=authority")  # fmt: skip
        for name in ("server", "client"):
            self._openssl("req", *_NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                          "-subj", f"/CN={name}")  # fmt: skip
            (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
            self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey",
                          "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names",
                          "-out", f"{name}.crt")  # fmt: skip

    def file(self, name: str) -> str:
        return str(self._folder / name)

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def tls_server(
    fake: Fake, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Lets only clients with a certificate in."""
    settings = (
        "tls:\n"
        f"  cert_file: {certificates.file('server.crt')}\n"
        f"  key_file: {certificates.file('server.key')}\n"
        f"  client_ca_file: {certificates.authority}\n"
    )
    folder = tmp_path_factory.mktemp("tls")
    with running(Server(folder, fake.base_url, settings=settings)) as started:
        yield started


def test_tls_with_a_client_certificate(
    driver: Driver, tls_server: Server, certificates: Certificates, tmp_path: Path
) -> None:
    shown = {
        "ca": str(certificates.authority),
        "cert": certificates.file("client.crt"),
        "key": certificates.file("client.key"),
    }
    result = driver.run(tmp_path / "run", tls_server.address, TAGS, tls=shown)
    assert result.error is None
    assert result.rows > 0


def test_a_client_without_its_certificate_stays_outside(
    driver: Driver, tls_server: Server, certificates: Certificates, tmp_path: Path
) -> None:
    tls = {"ca": str(certificates.authority), "cert": None, "key": None}
    error = error_of(driver.run(tmp_path / "run", tls_server.address, TAGS, tls=tls))
    assert (error["code"], error["reason"]) == ("UNAVAILABLE", "")


def test_a_server_of_another_authority_is_not_trusted(
    driver: Driver, tls_server: Server, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    tls = {"ca": str(Certificates(other).authority), "cert": None, "key": None}
    error = error_of(driver.run(tmp_path / "run", tls_server.address, TAGS, tls=tls))
    assert (error["code"], error["reason"]) == ("UNAVAILABLE", "")
