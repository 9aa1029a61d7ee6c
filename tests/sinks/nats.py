"""A NATS server with JetStream of a test's own, and what it is asked."""

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server_process import ServerProcess

from process import free_port

START_SECONDS = 30.0
# Fills streams, and may do no more than docs/sinks.md asks for.
USER, PASSWORD = "etl", "hunter2"
# Whom the tests are.
ADMIN, ADMIN_PASSWORD = "admin", "hunter3"


class NatsError(Exception):
    """What the server said."""


@dataclass(frozen=True)
class Message:
    subject: str
    headers: Mapping[str, str]
    data: bytes


class Session:
    """One that speaks the protocol of NATS, as far as tests need it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self._socket.makefile("rb")
        self._file.readline()  # INFO
        options = {"verbose": False, "headers": True, "user": ADMIN, "pass": ADMIN_PASSWORD}
        self.send(f"CONNECT {json.dumps(options)}\r\nSUB inbox.> 1\r\nPING\r\n".encode())
        while not self._line().startswith(b"PONG"):
            pass

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, text: bytes) -> None:
        self._socket.sendall(text)

    def _line(self) -> bytes:
        line = self._file.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        if line.startswith(b"-ERR"):
            raise NatsError(line.decode().strip())
        if line.startswith(b"PING"):
            self.send(b"PONG\r\n")
        return line

    def receive(self) -> Message:
        while True:
            words = self._line().split()
            if words and words[0] in (b"MSG", b"HMSG"):
                break
        size = int(words[-1])
        head = int(words[-2]) if words[0] == b"HMSG" else 0
        body = self._file.read(size + 2)[:-2]
        lines = body[:head].decode().split("\r\n")[1:]
        headers = {
            name: value for name, _, value in (line.partition(": ") for line in lines if line)
        }
        return Message(words[1].decode(), headers, body[head:])

    def request(self, subject: str, value: object = None) -> dict[str, Any]:
        data = b"" if value is None else json.dumps(value).encode()
        self.send(f"PUB {subject} inbox.reply {len(data)}\r\n".encode() + data + b"\r\n")
        while (message := self.receive()).subject != "inbox.reply":
            pass
        answer: dict[str, Any] = json.loads(message.data)
        return answer


class Nats(ServerProcess):
    """Runs until it is stopped; may be killed and started again with its data."""

    def __init__(self, folder: Path, *settings: str) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.settle(*(settings or ('jetstream: {store_dir: "FOLDER"}',)))

    def settle(self, *settings: str) -> None:
        """Writes the configuration; FOLDER stands for the server's own."""
        rights = '{publish: ["*.>", "$JS.API.>", "$KV.>"], subscribe: ["_INBOX.>"]}'
        users = (
            f'{{user: {ADMIN}, password: "{ADMIN_PASSWORD}"}}, '
            f'{{user: {USER}, password: "{PASSWORD}", permissions: {rights}}}'
        )
        lines = (
            f'listen: "127.0.0.1:{self.port}"',
            f"authorization: {{users: [{users}]}}",
            *settings,
        )
        text = "\n".join(lines).replace("FOLDER", str(self.folder))
        (self.folder / "nats.conf").write_text(f"{text}\n")

    def url(self, stream: str = "INTERCOM", user: str = USER, **parameters: str) -> str:
        query = "".join(f"&{name}={value}" for name, value in parameters.items())
        prefix = parameters.get("prefix", f"{stream}.")
        return f"nats://{user}@127.0.0.1:{self.port}?stream={stream}&prefix={prefix}{query}"

    def benchmark_variables(self) -> dict[str, str]:
        url = f"nats://{USER}@127.0.0.1:{self.port}"
        return {"SINK_BENCHMARK_URL": url, "INTERCOM_SINK_PASSWORD": PASSWORD}

    def start(self) -> None:
        self.launch(["nats-server", "--config", self.folder / "nats.conf"])
        for _ in self.until_it_answers(START_SECONDS):
            with contextlib.suppress(OSError, NatsError), self.session() as session:
                # One without JetStream answers nothing.
                session.send(b"PING\r\n")
                return

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        session = Session(self.port)
        try:
            yield session
        finally:
            session.close()

    def ask(self, subject: str, value: object = None) -> dict[str, Any]:
        with self.session() as session:
            return session.request(f"$JS.API.{subject}", value)

    def count(self, stream: str) -> int:
        """Messages of a stream; 0 where there is none."""
        answer = self.ask(f"STREAM.INFO.{stream}")
        return int(answer["state"]["messages"]) if "state" in answer else 0

    def revision(self, stream: str) -> int:
        """How often positions were stored."""
        answer = self.ask(f"STREAM.INFO.KV_{stream}_positions")
        return int(answer["state"]["last_seq"]) if "state" in answer else 0

    # What the campaign asks of all kinds of servers; a stream is a place.

    def position(self, _place: str) -> str:
        """Nothing: without transactions, what a killed writer had sent may still be stored, its
        position too. What must hold is seen at the end."""
        return ""

    def open_transaction(self, place: str) -> dict[str, str | None] | None:
        """Messages that no position covers; none: nothing."""
        rows = self.ask(f"STREAM.INFO.{place}").get("state", {"messages": 0})
        positions = self.ask(f"STREAM.INFO.KV_{place}_positions").get("state")
        if (
            not positions
            or not rows["messages"]
            or rows["last_ts"][:-1] <= positions["last_ts"][:-1]
        ):
            return None
        return {"written": f"{rows['messages']} messages", "at": rows["last_ts"]}

    def end_sessions(self) -> None:
        """A killed writer's session holds nothing."""

    def drop(self, place: str) -> None:
        for stream in (place, f"KV_{place}_positions"):
            assert self.ask(f"STREAM.DELETE.{stream}").get("success")

    def messages(self, stream: str) -> list[Message]:
        """All of a stream, in its order."""
        wanted = self.count(stream)
        found: list[Message] = []
        if not wanted:
            return found
        with self.session() as session:
            config = {"ack_policy": "none", "deliver_policy": "all"}
            request = {"stream_name": stream, "config": config}
            made = session.request(f"$JS.API.CONSUMER.CREATE.{stream}", request)
            text = json.dumps({"batch": wanted}).encode()
            where = f"PUB $JS.API.CONSUMER.MSG.NEXT.{stream}.{made['name']} inbox.end {len(text)}"
            session.send(where.encode() + b"\r\n" + text + b"\r\n")
            while len(found) < wanted:
                message = session.receive()
                if message.subject == "inbox.end":
                    raise NatsError(str(message.headers))
                found.append(message)
        return found

    def publish(self, subject: str, data: bytes, headers: Mapping[str, str]) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        text = f"NATS/1.0\r\n{head}\r\n".encode()
        with self.session() as session:
            session.send(
                f"HPUB {subject} inbox.reply {len(text)} {len(text) + len(data)}\r\n".encode()
                + text
                + data
                + b"\r\n"
            )
            answer = json.loads(session.receive().data)
        assert "error" not in answer, answer
