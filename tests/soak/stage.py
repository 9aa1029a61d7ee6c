"""The programs of one run, connected through proxies, and what disturbs them."""

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
from proxy import Proxy
from raw_consumer import LARGEST_MESSAGE, RawConsumer
from scenario import Disturbance, Kind, Measure, Reader

from process import Process, free_port
from programs import (
    ACCESS_TOKEN,
    FAKE_INTERCOM,
    INTERCOM_EXTRACT,
    INTERCOM_SERVER,
    clean_environment,
)

COMPLETE, UNREACHABLE, INTERRUPTED = 0, 5, 130
LISTENING = "listening on"
# For one attempt of a reader; what hangs is a finding, not a reason to wait for ever.
ATTEMPT_SECONDS = 240.0


CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    # A proxy of the environment must not come between.
    ("grpc.enable_http_proxy", 0),
    # A server is down for a second at most.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
)
# What a stream may end with whose server or connection goes. gRPC itself cancels a call that
# comes in the milliseconds between a server's last answer and its end.
PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


class RunFailed(Exception):
    """The run did not end as it must; the message is for people."""


@dataclass(frozen=True)
class Effort:
    """What an undisturbed run needs."""

    requests: int
    bytes_to_client: int

    def of(self, measure: Measure) -> int:
        return self.requests if measure is Measure.REQUESTS else self.bytes_to_client


class Stage:
    """One fake, one server where the reader needs one, and the proxies between them.

    Lives in one event loop. Logs and output are in `folder`.
    """

    def __init__(
        self,
        folder: Path,
        reader: Reader,
        fake_flags: tuple[str, ...],
        updated_since: int | None,
    ) -> None:
        self.folder = folder
        self.output = folder / "output"
        self.attempts = 0
        # Programs that did not come back; the run's fault is not its reader's then.
        self.broken: list[str] = []
        self._reader = reader
        self._updated_since = updated_since
        self._progress = asyncio.Event()
        self._restarts: set[asyncio.Task[None]] = set()
        self._restarting: set[Process] = set()
        self._disturbed = 0
        # Where the reader is in this process.
        self._call: asyncio.Task[None] | None = None

        fake_port, server_port = free_port(), free_port()
        self.to_fake = Proxy(fake_port, self._progress.set)
        self.to_server = Proxy(server_port, self._progress.set)
        self._fake = Process(
            [FAKE_INTERCOM, *fake_flags, "--port", str(fake_port)],
            folder / "fake.log",
            clean_environment(),
        )
        self._config = folder / "server.yaml"
        self._server = Process(
            [INTERCOM_SERVER, "--config", self._config, "--listen", f"127.0.0.1:{server_port}"],
            folder / "server.log",
            clean_environment(INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN),
        )
        self._client: Process | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(
        cls,
        folder: Path,
        reader: Reader,
        fake_flags: tuple[str, ...],
        updated_since: int | None = None,
    ) -> AsyncIterator["Stage"]:
        """`updated_since`: Unix seconds, for an incremental run."""
        stage = cls(folder, reader, fake_flags, updated_since)
        try:
            await stage._start()
            yield stage
        finally:
            await stage._stop()

    def effort(self) -> Effort:
        """What has passed so far."""
        return Effort(self.to_fake.requests, self.to_server.bytes_back)

    async def _start(self) -> None:
        self.folder.mkdir(parents=True)
        await self.to_fake.start()
        await self._fake.start(LISTENING)
        if self._reader is Reader.EMBEDDED:
            return
        self._config.write_text(
            "connections:\n"
            "  - name: default\n"
            f"    base_url: http://127.0.0.1:{self.to_fake.port}\n"
            "    access_token_env: INTERCOM_ACCESS_TOKEN\n"
        )
        await self.to_server.start()
        await self._server.start(LISTENING)

    async def _stop(self) -> None:
        for restart in self._restarts:
            restart.cancel()
        await asyncio.gather(*self._restarts, return_exceptions=True)
        for process in (self._client, self._server, self._fake):
            if process is not None:
                await process.kill()
        await self.to_server.stop()
        await self.to_fake.stop()

    async def disturb(
        self, disturbances: tuple[Disturbance, ...], undisturbed: Effort, done: Counter[Kind]
    ) -> None:
        """Lets each happen when it is due; `done` counts those that did."""
        before: tuple[Measure, int] | None = None
        for disturbance in disturbances:
            # What comes late, as on a busy machine, does not put off all that follow: the
            # run would end before the last.
            same = before is not None and before[0] is disturbance.measure
            start = before[1] if before is not None and same else self._passed(disturbance.measure)
            due = start + int(disturbance.share * undisturbed.of(disturbance.measure))
            before = (disturbance.measure, due)
            await self._until_due(disturbance, due)
            await asyncio.sleep(disturbance.delay_seconds)
            while not self._up(disturbance.kind):
                # It has just ended, of the signal before, say.
                await self._until_due(disturbance, due)
            done[disturbance.kind] += 1
            self._disturbed += 1
            await self._strike(disturbance)

    def _passed(self, measure: Measure) -> int:
        return self.effort().of(measure)

    async def _until_due(self, disturbance: Disturbance, due: int) -> None:
        # What is down has nothing to lose; progress tells that it is back.
        while self._passed(disturbance.measure) < due or not self._up(disturbance.kind):
            self._progress.clear()
            await self._progress.wait()

    def _up(self, kind: Kind) -> bool:
        """Whether there is something to strike."""
        if kind is Kind.KILL_SERVER:
            return self._server.running
        if kind is Kind.STOP_SERVER:
            # Not one that is stopping: a second signal would be another disturbance.
            return self._server.running and self._server not in self._restarting
        if kind is Kind.KILL_FAKE:
            return self._fake.running
        if kind in (Kind.KILL_CLIENT, Kind.STOP_CLIENT):
            if self._client is not None:
                return self._client.running
            return self._call is not None and not self._call.done()
        return True

    async def _strike(self, disturbance: Disturbance) -> None:
        match disturbance.kind:
            case Kind.KILL_SERVER:
                self._restart(self._server, signal.SIGKILL, disturbance.seconds)
            case Kind.STOP_SERVER:
                self._restart(self._server, signal.SIGTERM, disturbance.seconds)
            case Kind.KILL_FAKE:
                self._restart(self._fake, signal.SIGKILL, disturbance.seconds)
            case Kind.KILL_CLIENT:
                self._end_client(signal.SIGKILL)
            case Kind.STOP_CLIENT:
                self._end_client(signal.SIGTERM)
            case Kind.CUT_CLIENT:
                self.to_server.cut()
            case Kind.CUT_FAKE:
                self.to_fake.cut()
            case Kind.STALL_CLIENT:
                await _stall(self.to_server, disturbance.seconds)
            case Kind.STALL_FAKE:
                await _stall(self.to_fake, disturbance.seconds)

    def _restart(self, process: Process, number: signal.Signals, down_seconds: float) -> None:
        """Goes on by itself: the next disturbance may strike meanwhile."""
        if process in self._restarting:
            # SIGKILL of a server that is stopping; it is started again already.
            process.send(number)
            return

        async def restart() -> None:
            process.send(number)
            await process.wait()
            await asyncio.sleep(down_seconds)
            await process.start(LISTENING)

        def on_end(task: asyncio.Task[None]) -> None:
            self._restarts.discard(task)
            self._restarting.discard(process)
            if not task.cancelled() and task.exception() is not None:
                self.broken.append(str(task.exception()))

        self._restarting.add(process)
        task = asyncio.create_task(restart())
        self._restarts.add(task)
        task.add_done_callback(on_end)

    def _end_client(self, number: signal.Signals) -> None:
        if self._client is not None:
            self._client.send(number)
        elif self._call is not None:
            # For who reads the stream inside this process, that is all that death means:
            # the connection is gone, and with it what was not stored.
            self._call.cancel()

    def _mark(self) -> int:
        """Equals `_disturbed` for as long as nothing disturbs what begins now."""
        return -1 if self._restarts else self._disturbed

    async def run_command_line(self, most_attempts: int) -> None:
        """Runs intercom-extract, with --resume from the second time on, until it is complete."""
        connection = (
            ("--embedded", "--base-url", f"http://127.0.0.1:{self.to_fake.port}")
            if self._reader is Reader.EMBEDDED
            else ("--server", f"127.0.0.1:{self.to_server.port}")
        )
        arguments = ["extract", *connection, "--template", "all", "--output", self.output]
        if self._updated_since is not None:
            arguments += ["--updated-since", str(self._updated_since)]
        variables = {"INTERCOM_ACCESS_TOKEN": ACCESS_TOKEN} if "--embedded" in connection else {}
        while True:
            if self.attempts == most_attempts:
                raise RunFailed(f"not complete after {self.attempts} attempts")
            resume = ("--resume",) if self.attempts else ()
            self.attempts += 1
            mark = self._mark()
            log = self.folder / "client.log"
            self._client = Process(
                [INTERCOM_EXTRACT, *arguments, *resume], log, clean_environment(**variables)
            )
            await self._client.start()
            try:
                code = await asyncio.wait_for(self._client.wait(), ATTEMPT_SECONDS)
            except TimeoutError:
                raise RunFailed(f"attempt {self.attempts} hung: {_end_of(log)}") from None
            if code == COMPLETE:
                return
            ours = (-signal.SIGKILL, -signal.SIGTERM, INTERRUPTED, UNREACHABLE)
            if code not in ours or mark == self._disturbed:
                raise RunFailed(f"attempt {self.attempts} ended with {code}: {_end_of(log)}")
            if code == UNREACHABLE:
                # Who is told that the server is away tries again when it is back.
                await self._all_back()

    async def _all_back(self) -> None:
        await asyncio.gather(*self._restarts, return_exceptions=True)

    async def resume_complete(self) -> str:
        """What one more --resume says once the run is complete; it must change nothing."""
        self._client = None
        await self._all_back()
        before = _modified(self.output)
        await self.run_command_line(self.attempts + 1)
        if _modified(self.output) != before:
            raise RunFailed("--resume of a complete run touched its files")
        return _end_of(self.folder / "client.log")

    async def run_consumer(self, consumer: RawConsumer, most_attempts: int) -> None:
        """Reads the stream, going on from the last checkpoint until it is complete."""
        while not consumer.complete:
            if self.attempts == most_attempts:
                raise RunFailed(f"not complete after {self.attempts} attempts")
            self.attempts += 1
            mark = self._mark()
            self._call = asyncio.create_task(self._read_once(consumer))
            try:
                await asyncio.wait_for(asyncio.shield(self._call), ATTEMPT_SECONDS)
            except TimeoutError:
                self._call.cancel()
                raise RunFailed(f"attempt {self.attempts} hung") from None
            except asyncio.CancelledError:
                if not self._call.cancelled():
                    raise
            except grpc.aio.AioRpcError as error:
                # Nothing else may come of a disturbance, and nothing without one.
                if error.code() not in PASSING or mark == self._disturbed:
                    raise RunFailed(
                        f"attempt {self.attempts} ended with {error.code()}: {error.details()}"
                    ) from error

    async def _read_once(self, consumer: RawConsumer) -> None:
        address = f"127.0.0.1:{self.to_server.port}"
        async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
            await consumer.read(channel)


async def _stall(proxy: Proxy, seconds: float) -> None:
    proxy.stall()
    try:
        await asyncio.sleep(seconds)
    finally:
        proxy.flow()


def _modified(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
