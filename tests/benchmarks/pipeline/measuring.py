"""One arrangement of the programs, and what each way of reading contacts costs in it."""

import contextlib
import json
import shutil
import ssl
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import programs
from programs import Failure, Program, running

# What contact pages hold: eight files for the command line, no request of their own.
TABLES = tuple(
    role + child
    for role in ("users", "leads")
    for child in ("", "_tags", "_companies", "_social_profiles")
)


@dataclass(frozen=True)
class Transport:
    """How answers travel."""

    name: str
    tls: bool = False
    http2: bool = False
    gzip: bool = False


@dataclass(frozen=True)
class Cost:
    """What reading all contacts once took."""

    wall_seconds: float
    # Of the process that talks to Intercom: the bare download, or our server.
    cpu_seconds: float
    peak_rss_kib: float
    # Of who answers, HTTP/2 proxy included.
    answering_cpu_seconds: float
    # Of the client, where there is one.
    reader_cpu_seconds: float = 0.0
    # What only the reader knows.
    said: Mapping[str, float] = field(default_factory=dict)


class Arrangement:
    """A sample of Intercom that serves, perhaps behind a proxy. Use it with `arranged`."""

    def __init__(
        self, folder: Path, contacts: int, answering: list[Program], base_url: str, ca_file: Path
    ) -> None:
        self.contacts = contacts
        # Of the extraction whose requests were learned.
        self.requests = 0
        self.connections = 1
        self._folder = folder
        self._answering = answering
        self._base_url = base_url
        self._ca_file = ca_file
        self._requests = folder / "requests"
        # The sample is on the loopback: no proxy of the environment may come between.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file)),
        )
        self._rows: Mapping[str, int] = json.loads(self._ask("GET", "/__rows"))

    @property
    def rows(self) -> int:
        return sum(self._rows.values())

    def learn_requests(self) -> None:
        """One extraction whose requests, and as many at once, the bare download repeats."""
        self._ask("POST", "/__record")
        port = int(self._base_url.rpartition(":")[2])
        with self._server() as (_, address):
            self._read(address, typed=False)
            self.connections = programs.connections_to(port)
        recorded = self._ask("GET", "/__record")
        self._requests.write_bytes(recorded)
        self.requests = recorded.count(b"\n")

    def bare(self) -> Cost:
        """The bare download."""
        before = self._answering_cpu()
        arguments: list[str | Path] = [programs.BARE_DOWNLOAD, "--base-url", self._base_url]
        arguments += ["--requests", self._requests, "--connections", str(self.connections)]
        arguments += ["--ca-file", self._ca_file]
        said = json.loads(programs.output_of(arguments))
        # Half pages and the one that only counts come on top.
        if not self.contacts <= said["records"] <= self.contacts + 150 * self.requests // 8 + 150:
            raise Failure(f"{said['records']} records came, there are {self.contacts} contacts")
        return Cost(
            wall_seconds=said["wall_seconds"],
            cpu_seconds=said["cpu_seconds"],
            peak_rss_kib=said["peak_rss_kib"],
            answering_cpu_seconds=self._answering_cpu() - before,
            said={"bytes": said["bytes"]},
        )

    def streamed(self, typed: bool, delays: bool = False) -> Cost:
        """Our server, and a reader of its stream."""
        with self._server() as (server, address):
            before, answering_before = server.cpu_seconds(), self._answering_cpu()
            said = self._read(address, typed, delays)
            return Cost(
                wall_seconds=said["wall_seconds"],
                cpu_seconds=server.cpu_seconds() - before,
                peak_rss_kib=server.peak_rss_kib(),
                answering_cpu_seconds=self._answering_cpu() - answering_before,
                reader_cpu_seconds=said["cpu_seconds"],
                said=said,
            )

    def into_files(self) -> Cost:
        """Our server and command line, from the start of the latter to its end."""
        output = self._folder / "files"
        with self._server() as (server, address):
            before, answering_before = server.cpu_seconds(), self._answering_cpu()
            usage = programs.usage_of(
                [
                    *(programs.INTERCOM_EXTRACT, "extract", "--server", address),
                    *("--tables", ",".join(TABLES), "--output", output),
                ]
            )
            cost = Cost(
                wall_seconds=usage["wall_seconds"],
                cpu_seconds=server.cpu_seconds() - before,
                peak_rss_kib=server.peak_rss_kib(),
                answering_cpu_seconds=self._answering_cpu() - answering_before,
                reader_cpu_seconds=usage["cpu_seconds"],
            )
        # No value of the sample holds a line feed: a line is a row, but for the header.
        rows = {path.stem: path.read_bytes().count(b"\n") - 1 for path in output.glob("*.csv")}
        self._require(rows, "the files")
        shutil.rmtree(output)
        return cost

    def profile(self, functions: int) -> str:
        """Where the server's CPU goes while bytes are read, the costliest functions first."""
        file = self._folder / "perf.data"
        with self._server() as (server, address):
            with running(["perf", "record", "-F", "1999", "-o", file, "-p", str(server.pid)]):
                for _ in range(4):
                    self._read(address, typed=False)
        report = ["perf", "report", "-i", file, "--stdio", "--no-children"]
        by_library = programs.output_of([*report, "--sort", "dso"])
        by_function = programs.output_of([*report, "--sort", "symbol"])
        lines = [
            [line[:140].rstrip() for line in text.splitlines() if line and line[0] != "#"]
            for text in (by_library, by_function)
        ]
        return "\n".join([*lines[0][:8], "", *lines[1][:functions]])

    def _read(self, address: str, typed: bool, delays: bool = False) -> dict[str, float]:
        arguments: list[str | Path] = [programs.STREAM_READER, "--server", address]
        arguments += ["--tables", ",".join(TABLES)]
        arguments += ["--typed"] * typed + ["--delays"] * delays
        said = json.loads(programs.output_of(arguments))
        if not said.pop("complete"):
            raise Failure("a table is not complete")
        self._require(said.pop("rows"), "the stream")
        figures: dict[str, float] = said
        return figures

    def _require(self, rows: Mapping[str, int], where: str) -> None:
        if dict(rows) != dict(self._rows):
            raise Failure(f"rows of {where}: {rows}, there are {self._rows}")

    @contextlib.contextmanager
    def _server(self) -> Iterator[tuple[Program, str]]:
        """A server that has done nothing yet, and its address."""
        config = self._folder / "server.yaml"
        config.write_text(
            f"http:\n  ca_file: {self._ca_file}\n"
            "connections:\n"
            "  - name: default\n"
            f"    base_url: {self._base_url}\n"
            "    access_token_env: INTERCOM_ACCESS_TOKEN\n",
            encoding="utf-8",
        )
        with running(
            [programs.INTERCOM_SERVER, "--config", config, "--listen", "127.0.0.1:0"]
        ) as server:
            yield server, server.await_output(r"listening on (127\.0\.0\.1:\d+)")[1]

    def _ask(self, method: str, path: str) -> bytes:
        data = b"" if method == "POST" else None
        request = urllib.request.Request(self._base_url + path, data=data, method=method)
        with self._opener.open(request) as response:
            body: bytes = response.read()
            return body

    def _answering_cpu(self) -> float:
        return sum(program.cpu_seconds() for program in self._answering)


@contextlib.contextmanager
def arranged(
    folder: Path, contacts: int, transport: Transport, latency_ms: int = 0
) -> Iterator[Arrangement]:
    """A sample of Intercom with so many contacts, until the block ends."""
    with contextlib.ExitStack() as stack:
        arguments: list[str | Path] = [programs.SAMPLE_INTERCOM, "--contacts", str(contacts)]
        arguments += ["--latency-ms", str(latency_ms)]
        arguments += ["--gzip"] * transport.gzip
        certificate, key = programs.make_certificate(folder)
        if transport.tls:
            arguments += ["--tls-cert", certificate, "--tls-key", key]
        sample = stack.enter_context(running(arguments))
        base_url = sample.await_output(r"listening on (\S+)\n")[1]
        answering = [sample]
        if transport.http2:
            port = programs.free_port()
            proxy = stack.enter_context(
                running(
                    [
                        *(programs.NGHTTPX, "--single-process", "--workers=1", "--no-ocsp"),
                        *("--conf=/dev/null", "--accesslog-file=/dev/null"),
                        *("--errorlog-file=/dev/stderr", "--log-level=NOTICE"),
                        f"--frontend=127.0.0.1,{port}",
                        "--backend=127.0.0.1," + base_url.rpartition(":")[2],
                        *(key, certificate),
                    ]
                )
            )
            proxy.await_output("Created worker thread")
            answering.append(proxy)
            base_url = f"https://127.0.0.1:{port}"
        yield Arrangement(folder, contacts, answering, base_url, certificate)
