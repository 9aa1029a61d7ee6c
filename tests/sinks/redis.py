"""A Redis of a test's own, and what it is asked."""

import contextlib
import socket
import time
from pathlib import Path
from typing import IO

from server_process import ServerProcess

from process import free_port
from tables import TABLES

START_SECONDS = 30.0
# Fills streams, and may do no more than docs/sinks.md asks for.
USER, PASSWORD = "etl", "hunter2"
RIGHTS = "~* -@all +@stream +@hash +@transaction +type +select +info"
# Whom the tests are.
ADMIN_PASSWORD = "hunter3"
PAGE = 5000

Reply = bytes | int | None | list["Reply"]


class RedisError(Exception):
    """What Redis said."""


def _read(file: IO[bytes]) -> Reply:
    line = file.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("Redis closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise RedisError(rest.decode())
    if kind == b"+":
        return rest
    if kind == b":":
        return int(rest)
    count = int(rest)
    if count < 0:
        return None
    if kind == b"*":
        return [_read(file) for _ in range(count)]
    return file.read(count + 2)[:-2]


class Redis(ServerProcess):
    """Runs until it is stopped; may be killed and started again with its data."""

    def __init__(self, folder: Path, *flags: str) -> None:
        super().__init__(folder)
        self.port = free_port()
        self._flags = flags
        users = (
            f"user default on >{ADMIN_PASSWORD} ~* &* +@all",
            f"user {USER} on >{PASSWORD} {RIGHTS}",
        )
        (folder / "users.acl").write_text("\n".join(users) + "\n")

    def url(self, place: str = "intercom", user: str = USER, **parameters: str) -> str:
        query = "".join(f"&{name}={value}" for name, value in parameters.items())
        return f"redis://{user}@127.0.0.1:{self.port}/0?prefix={place}:{query}"

    def benchmark_variables(self) -> dict[str, str]:
        url = f"redis://{USER}@127.0.0.1:{self.port}/0"
        return {"SINK_BENCHMARK_URL": url, "INTERCOM_SINK_PASSWORD": PASSWORD}

    def start(self) -> None:
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "aclfile": str(self.folder / "users.acl"),
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.launch(["redis-server", *words, *self._flags])
        for _ in self.until_it_answers(START_SECONDS):
            with contextlib.suppress(OSError, RedisError):
                self.ask("PING")
                return

    def file(self) -> Path:
        """What it has written since it was made."""
        (found,) = (self.folder / "appendonlydir").glob("*.incr.aof")
        return found

    def ask(self, *words: str | bytes) -> Reply:
        """What the admin is told; one session for each command."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=30) as session,
            session.makefile("rb") as file,
        ):
            for command in (("AUTH", ADMIN_PASSWORD), words):
                parts = [word if isinstance(word, bytes) else word.encode() for word in command]
                text = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
                session.sendall(b"*%d\r\n%s" % (len(parts), text))
                reply = _read(file)
            return reply

    def texts(self, *words: str) -> list[str]:
        reply = self.ask(*words)
        assert isinstance(reply, list)
        return [part.decode(errors="replace") for part in reply if isinstance(part, bytes)]

    def entries(self, key: str) -> list[dict[str, bytes]]:
        """Of a stream, in its order."""
        found: list[dict[str, bytes]] = []
        start = "-"
        while True:
            page = self.ask("XRANGE", key, start, "+", "COUNT", str(PAGE))
            assert isinstance(page, list)
            for entry in page:
                assert isinstance(entry, list)
                number, fields = entry
                assert isinstance(number, bytes)
                assert isinstance(fields, list)
                words = [word for word in fields if isinstance(word, bytes)]
                names = [name.decode() for name in words[::2]]
                found.append(dict(zip(names, words[1::2], strict=True)))
                start = f"({number.decode()}"
            if len(page) < PAGE:
                return found

    # What the campaign asks of all kinds of servers.

    def position(self, place: str) -> str:
        """What tells a commit from the one before, with all that readers see."""
        lengths = {name: self.ask("XLEN", f"{place}:{name}") for name in (*TABLES, "_events")}
        fields = ("instance", "run", "position", "updated_at")
        return repr((self.texts("HMGET", f"{place}:_positions:default", *fields), lengths))

    def open_transaction(self, _place: str) -> dict[str, str | None] | None:
        """The writer's transaction that has rows and waits for more; none: nothing."""
        for client in self._sessions():
            if int(client["multi"]) > 0:
                return {"written": f"{client['multi']} commands", "at": client["tot-mem"]}
        return None

    def end_sessions(self) -> None:
        """Waits until the sessions of killed writers are gone."""
        while self._sessions():
            time.sleep(0.01)

    def drop(self, place: str) -> None:
        self.ask("DEL", *self.texts("KEYS", f"{place}:*"))

    def _sessions(self) -> list[dict[str, str]]:
        listed = self.ask("CLIENT", "LIST")
        assert isinstance(listed, bytes)
        clients = [
            dict(field.partition("=")[::2] for field in line.split(" "))
            for line in listed.decode().splitlines()
        ]
        return [client for client in clients if client["user"] == USER]
