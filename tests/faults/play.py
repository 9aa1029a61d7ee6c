"""Plays scenarios: a fake, what stands in front of it, and an extraction."""

import asyncio
import contextlib
import json
import shutil
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from certificates import Certificates
from clock import faked_clock, set_clock
from dns import faked_dns
from expectation import Notice, Result, problems
from http2_peer import Http2Peer
from library import Run, Scenario
from proxy import Proxy

from process import Process, free_port
from programs import (
    ACCESS_TOKEN,
    FAKE_INTERCOM,
    INTERCOM_EXTRACT,
    INTERCOM_SERVER,
    clean_environment,
    write_expected,
)

UNREACHABLE = 5
LISTENING = "listening on"
# For one run of the command line; what hangs is a finding, not a reason to wait for ever.
ATTEMPT_SECONDS = 150.0
BETWEEN_ATTEMPTS_SECONDS = 1.0


@dataclass
class Outcome:
    scenario: Scenario
    folder: Path
    result: Result | None = None
    # Empty when all is well.
    problems: list[str] = field(default_factory=list)

    def message(self) -> str:
        scenario = self.scenario
        lines = [f"{scenario.name} ({scenario.file.name}): {scenario.about}", *self.problems]
        if self.result is not None:
            lines += self.result.errors
        return "\n".join([*lines, f"files: {self.folder}"])


class Stage:
    """Plays scenarios below one folder, several at a time; lives in one event loop."""

    def __init__(self, folder: Path, jobs: int) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._folder = folder
        self._jobs = asyncio.Semaphore(jobs)
        self._certificates = Certificates(folder / "certificates")
        # By flags of the fake and of the extraction.
        self._undisturbed: dict[tuple[tuple[str, ...], ...], asyncio.Task[Result]] = {}
        self._expected: dict[tuple[str, ...], asyncio.Task[Path]] = {}

    async def play_all(self, scenarios: Iterable[Scenario]) -> AsyncIterator[Outcome]:
        """Each as it ends."""
        tasks = [asyncio.create_task(self.play(scenario)) for scenario in scenarios]
        for done in asyncio.as_completed(tasks):
            yield await done

    async def play(self, scenario: Scenario) -> Outcome:
        """Never raises for what the programs do; that is in the outcome."""
        folder = self._folder / scenario.name.replace(" ", "-").replace("/", "-")
        outcome = Outcome(scenario, folder)
        try:
            expected = await self._once(
                self._expected,
                _workspace(scenario),
                lambda number: self._write_expected(scenario, number),
            )
            undisturbed = await self._once(
                self._undisturbed,
                (scenario.fake_flags(), scenario.run.flags),
                lambda number: self._run_undisturbed(scenario, number),
            )
            async with self._jobs:
                outcome.result = await self._run(scenario, folder)
                outcome.problems = await asyncio.to_thread(
                    problems, scenario.expect, outcome.result, expected, undisturbed
                )
        except Exception as error:  # One broken scenario must not end the others.
            outcome.problems.append(f"{type(error).__name__}: {error}")
        if not outcome.problems:
            shutil.rmtree(folder)
        return outcome

    async def _once(self, made: dict[Any, Any], key: Any, make: Callable[[int], Any]) -> Any:
        """What `make(number)` gives, made once for each key."""
        if key not in made:
            made[key] = asyncio.create_task(make(len(made)))
        return await made[key]

    async def _write_expected(self, scenario: Scenario, number: int) -> Path:
        folder = self._folder / f"expected-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        return await asyncio.to_thread(write_expected, folder, *_workspace(scenario))

    async def _run_undisturbed(self, scenario: Scenario, number: int) -> Result:
        calm = Scenario(
            name=f"undisturbed-{number}",
            about="",
            file=scenario.file,
            run=Run(fake=scenario.run.fake, flags=scenario.run.flags),
        )
        async with self._jobs:
            return await self._run(calm, self._folder / calm.name)

    async def _run(self, scenario: Scenario, folder: Path) -> Result:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        async with contextlib.AsyncExitStack() as stack:
            return await _Play(scenario, folder, self._certificates, stack).run()


def _workspace(scenario: Scenario) -> tuple[str, ...]:
    """The fake's flags that say what rows there are."""
    faults = (f"--faults={scenario.faults}",) if scenario.faults else ()
    return (*scenario.fake_flags(), *faults)


class _Play:
    """One run of one scenario."""

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        certificates: Certificates,
        stack: contextlib.AsyncExitStack,
    ) -> None:
        self._scenario = scenario
        self._folder = folder
        self._certificates = certificates
        self._stack = stack
        self._tls = scenario.run.tls or scenario.http2 is not None

    async def run(self) -> Result:
        fake_port = free_port()
        await self._start_fake(fake_port)
        config = self._write_config(await self._in_front_of(fake_port))
        connection: tuple[str | Path, ...] = ("--embedded", "--config", config)
        if self._scenario.run.server:
            connection = ("--server", await self._start_server(config))
        start = time.monotonic()
        code, summary, said = await self._extract(connection)
        seconds = time.monotonic() - start
        told = _told(summary)
        log = self._folder / "requests"
        return Result(
            exit_code=code,
            output=self._folder / "output",
            said=said + summary,
            errors=_errors(told, said + summary),
            notices=_notices(told),
            restarted=_restarted(said),
            requests=len(log.read_bytes().splitlines()) if log.exists() else 0,
            seconds=seconds,
        )

    async def _start_fake(self, port: int) -> None:
        scenario = self._scenario
        file = self._folder / "scenario.yaml"
        file.write_text(yaml.safe_dump(scenario.for_fake(), sort_keys=False), encoding="utf-8")
        tls: tuple[str | Path, ...] = ()
        if scenario.run.tls and scenario.http2 is None:
            certificate = self._certificates.of(scenario.run.certificate)
            tls = ("--tls-cert", certificate, "--tls-key", certificate)
        arguments = [FAKE_INTERCOM, *scenario.fake_flags(), *tls, "--scenario", file]
        arguments += ["--port", str(port), "--request-log", self._folder / "requests"]
        fake = Process(arguments, self._folder / "fake.log", clean_environment())
        self._stack.push_async_callback(fake.kill)
        wait = scenario.run.intercom_starts_after
        if wait > 0:
            self._later(wait, lambda: fake.start(LISTENING))
        elif wait == 0:
            await fake.start(LISTENING)

    def _later(self, seconds: float, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            await act()

        task = asyncio.create_task(wait())

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(stop)

    async def _in_front_of(self, port: int) -> str:
        """Puts what the scenario wants there; the base URL."""
        scenario = self._scenario
        if scenario.http2 is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(self._certificates.of(scenario.run.certificate))
            peer = Http2Peer(port, tls, scenario.http2)
            await peer.start()
            self._stack.push_async_callback(peer.stop)
            port = peer.port
        port = await self._through("server-intercom", port)
        return f"{'https' if self._tls else 'http'}://{scenario.run.host}:{port}"

    async def _through(self, between: str, port: int) -> int:
        """The port to use instead, where the network between the two is bad."""
        toxics = self._scenario.network.get(between)
        if not toxics:
            return port
        proxy = Proxy(port, lambda: None, toxics)
        await proxy.start()
        self._stack.push_async_callback(proxy.stop)
        return proxy.port

    def _write_config(self, base_url: str) -> Path:
        config: dict[str, Any] = {**self._scenario.run.config}
        if self._tls:
            authority = str(self._certificates.authority)
            config["http"] = {"ca_file": authority, **config.get("http", {})}
        connection = {
            "name": "default",
            "base_url": base_url,
            "access_token_env": "INTERCOM_ACCESS_TOKEN",
        }
        config["connections"] = [{**connection, **config.pop("connection", {})}]
        file = self._folder / "server.yaml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        return file

    def _environment(self) -> dict[str, str]:
        """Of whoever calls Intercom."""
        scenario = self._scenario
        variables = {"INTERCOM_ACCESS_TOKEN": ACCESS_TOKEN, **scenario.run.environment}
        if scenario.dns:
            variables.update(faked_dns(scenario.run.host, scenario.dns))
        if scenario.clock is not None:
            by, after = scenario.clock.by, scenario.clock.after
            variables.update(faked_clock(by, after, self._folder))
            if after:
                self._later(after, lambda: asyncio.to_thread(set_clock, by, self._folder))
        return clean_environment(**variables)

    async def _start_server(self, config: Path) -> str:
        port = free_port()
        server = Process(
            [INTERCOM_SERVER, "--config", config, "--listen", f"127.0.0.1:{port}"],
            self._folder / "server.log",
            self._environment(),
        )
        self._stack.push_async_callback(server.kill)
        await server.start(LISTENING)
        return f"127.0.0.1:{await self._through('client-server', port)}"

    async def _extract(self, connection: Sequence[str | Path]) -> tuple[int, str, str]:
        """Exit code, stdout and stderr; again with --resume while somebody is not reached, as
        often as the scenario says."""
        run = self._scenario.run
        environment = clean_environment() if run.server else self._environment()
        arguments = [INTERCOM_EXTRACT, "extract", *connection, *run.flags, "--json"]
        arguments += ["--output", self._folder / "output"]
        for attempt in range(1 + run.resume):
            resume = ("--resume",) if attempt else ()
            code, summary, said = await _run_program([*arguments, *resume], environment)
            (self._folder / f"client-{attempt + 1}.log").write_text(said + summary)
            if code != UNREACHABLE:
                break
            await asyncio.sleep(BETWEEN_ATTEMPTS_SECONDS)
        return code, summary, said


async def _run_program(
    arguments: Sequence[str | Path], environment: dict[str, str]
) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), ATTEMPT_SECONDS)
    except TimeoutError:
        raise RuntimeError(f"hung for {ATTEMPT_SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    said = err.decode(errors="replace")
    if ACCESS_TOKEN.encode() in out + err:
        raise RuntimeError("the access token was shown")
    return process.returncode, out.decode(errors="replace"), said


def _told(summary: str) -> dict[str, Any]:
    """The summary in JSON; empty where there is none, as when nothing could begin."""
    for line in summary.splitlines():
        if line.startswith('{"event":"summary"'):
            told: dict[str, Any] = json.loads(line)
            return told
    return {}


def _errors(told: dict[str, Any], said: str) -> list[str]:
    """What failed, for a person."""
    if not told:
        return [said[-2000:]]
    return [told["message"]] * bool(told["message"]) + [
        f"{table['table']} {table['status']}: {table['error']}"
        for table in told["tables"]
        if table["status"] not in ("complete", "unknown")
    ]


def _restarted(said: str) -> frozenset[str]:
    """The tables that began anew."""
    lines = said.splitlines()
    return frozenset(
        json.loads(line)["table"] for line in lines if line.startswith('{"event":"table_restarted"')
    )


def _notices(told: dict[str, Any]) -> Counter[Notice]:
    return Counter(
        {(each["code"], each["table"]): each["count"] for each in told.get("notices", [])}
    )
