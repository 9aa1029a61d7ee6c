"""An HTTP/2 server with TLS in front of the fake that misbehaves as HTTP/2 can."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from sections import Section

CODES = {code.name.lower(): code for code in h2.errors.ErrorCodes}
# before: nothing was carried out. after: the fake carried it out, no answer comes. middle:
# the answer breaks off in its body.
MOMENTS = ("before", "after", "middle")
CHUNK = 64 << 10


@dataclass(frozen=True)
class Http2Rule:
    """Which requests, as rules of the fake count them, and what happens to them."""

    path: str = "/"
    nth: tuple[int, ...] = ()
    every: int = 1
    first: int = 1
    last: int | None = None
    # served: of the requests up to this one, answers come. unserved: nothing of this one or
    # later ones was done.
    goaway: str = ""
    # A code of RST_STREAM or GOAWAY.
    code: str = "no_error"
    rst: bool = False
    # The connection ends without a word.
    hang_up: bool = False
    when: str = "before"
    early_hints: bool = False
    trailers: bool = False
    delay: float = 0

    def has(self, turn: int) -> bool:
        return (
            turn >= self.first
            and (self.last is None or turn <= self.last)
            and turn % self.every == 0
            and (not self.nth or turn in self.nth)
        )


@dataclass(frozen=True)
class Http2Faults:
    rules: tuple[Http2Rule, ...] = ()
    # Streams at a time in a connection; 0: as many as come.
    max_streams: int = 0
    # Only so many connections, the first, get HTTP/2; the others HTTP/1.1. 0: all.
    connections: int = 0
    # Bytes of a DATA frame at most.
    frame_bytes: int = 16384


def read_http2(section: Section) -> Http2Faults:
    faults = Http2Faults(
        rules=tuple(_read_rule(rule) for rule in section.each("rules")),
        max_streams=section.number("max_streams"),
        connections=section.number("connections"),
        frame_bytes=section.number("frame_bytes", Http2Faults.frame_bytes),
    )
    section.end()
    return faults


def _read_rule(section: Section) -> Http2Rule:
    on, do = section.below("on"), section.below("do")
    section.end()
    if do is None:
        raise section.error("is missing: what happens to the request", "do")
    matched: dict[str, object] = {}
    if on is not None:
        nth = on.value("nth", [])
        matched = {
            "path": on.text("path", "/"),
            "nth": tuple(nth) if isinstance(nth, list) else (nth,),
            "every": on.number("every", 1),
            "first": on.number("from", 1),
            "last": on.value("to"),
        }
        on.end()
    rule = Http2Rule(
        **matched,  # type: ignore[arg-type]
        goaway=do.choice("goaway", ("served", "unserved")),
        code=do.choice("code", CODES, "no_error"),
        rst=do.flag("rst"),
        hang_up=do.flag("hang_up"),
        when=do.choice("when", MOMENTS, "before"),
        early_hints=do.flag("early_hints"),
        trailers=do.flag("trailers"),
        delay=do.seconds("delay"),
    )
    do.end()
    return rule


@dataclass
class _Stream:
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Http2Peer:
    """Serves on a free port of the loopback interface and asks the fake with HTTP/1.1.

    Lives in one event loop. Who asks for HTTP/1.1 talks to the fake itself.
    """

    def __init__(self, target_port: int, tls: ssl.SSLContext, faults: Http2Faults) -> None:
        self.requests = 0
        self._target_port = target_port
        self._tls = tls
        self._faults = faults
        self._matched = dict.fromkeys(range(len(faults.rules)), 0)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._accepted = 0

    async def start(self) -> None:
        self._tls.set_alpn_protocols(["h2", "http/1.1"])
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def rules_for(self, path: str) -> list[Http2Rule]:
        """Counts the request."""
        self.requests += 1
        hit = []
        for number, rule in enumerate(self._faults.rules):
            if path.startswith(rule.path):
                self._matched[number] += 1
                if rule.has(self._matched[number]):
                    hit.append(rule)
        return hit

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._accepted += 1
        if self._accepted == self._faults.connections:
            self._tls.set_alpn_protocols(["http/1.1"])
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                if writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
                    await _Connection(self, self._faults, reader, writer).run()
                else:
                    await _pass_on(reader, writer, self._target_port)
        finally:
            self._connections.discard(task)
            writer.close()

    async def ask_fake(self, stream: _Stream) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body; OSError or ValueError when no good answer came."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        try:
            lines = [f"{stream.headers[':method']} {stream.headers[':path']} HTTP/1.1"]
            lines += ["Host: fake", "Connection: close", f"Content-Length: {len(stream.body)}"]
            lines += [
                f"{name}: {value}"
                for name, value in stream.headers.items()
                if not name.startswith(":") and name not in ("content-length", "host")
            ]
            writer.write("\r\n".join([*lines, "", ""]).encode() + stream.body)
            answer = await reader.read()
        finally:
            writer.close()
        head, separator, body = answer.partition(b"\r\n\r\n")
        if not separator:
            raise ValueError("no answer")
        status, *fields = head.decode("latin-1").split("\r\n")
        headers = [
            (name.lower(), value.strip()) for name, _, value in (f.partition(":") for f in fields)
        ]
        announced = dict(headers).get("content-length")
        if announced is not None and int(announced) != len(body):
            raise ValueError("the answer was cut")
        if "transfer-encoding" in dict(headers):
            body = _joined(body)
        hop_by_hop = ("connection", "transfer-encoding", "content-length")
        return int(status.split()[1]), [h for h in headers if h[0] not in hop_by_hop], body


def _joined(body: bytes) -> bytes:
    """What the chunks hold; ValueError where the last is missing."""
    joined = b""
    while True:
        size, separator, body = body.partition(b"\r\n")
        if not separator:
            raise ValueError("the answer was cut")
        if not (length := int(size, 16)):
            return joined
        joined, body = joined + body[:length], body[length + 2 :]


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    from_target, back = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()

    ways = [asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(from_target, writer))]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    await asyncio.gather(*ways, return_exceptions=True)
    back.close()


class _Connection:
    """One connection of HTTP/2."""

    def __init__(
        self,
        peer: Http2Peer,
        faults: Http2Faults,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._peer = peer
        self._faults = faults
        self._reader = reader
        self._writer = writer
        # What the fake sends is to arrive as it is.
        config = h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8", validate_outbound_headers=False
        )
        self._h2 = h2.connection.H2Connection(config)
        self._streams: dict[int, _Stream] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self._window_grew = asyncio.Event()
        # The last stream that is answered, once a GOAWAY was sent.
        self._last: int | None = None

    async def run(self) -> None:
        self._h2.initiate_connection()
        if self._faults.max_streams:
            self._h2.update_settings(
                {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self._faults.max_streams}
            )
        self._flush()
        try:
            while chunk := await self._reader.read(CHUNK):
                try:
                    events = self._h2.receive_data(chunk)
                except h2.exceptions.ProtocolError:
                    # It went on after our GOAWAY; the connection is over.
                    break
                for event in events:
                    self._on(event)
                self._flush()
        finally:
            for answer in self._answers:
                answer.cancel()
            await asyncio.gather(*self._answers, return_exceptions=True)

    def _on(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                headers = {str(name): str(value) for name, value in event.headers}
                self._streams[event.stream_id] = _Stream(headers)
            case h2.events.DataReceived():
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if stream := self._streams.get(event.stream_id):
                    stream.body += event.data
            case h2.events.StreamEnded():
                self._begin(event.stream_id)
            case h2.events.StreamReset():
                self._streams.pop(event.stream_id, None)
                self._window_grew.set()
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                self._window_grew.set()

    def _begin(self, stream_id: int) -> None:
        if self._last is not None and stream_id > self._last:
            return
        stream = self._streams[stream_id]
        answer = asyncio.create_task(self._answer(stream_id, stream))
        self._answers.add(answer)
        answer.add_done_callback(self._on_answered)

    def _on_answered(self, answer: "asyncio.Task[None]") -> None:
        self._answers.discard(answer)
        if self._last is not None and not self._answers:
            # Those that were to be served are.
            self._writer.close()

    async def _answer(self, stream_id: int, stream: _Stream) -> None:
        # The connection or stream may be over by the time.
        with contextlib.suppress(h2.exceptions.ProtocolError, OSError):
            rules = self._peer.rules_for(stream.headers[":path"])
            for rule in rules:
                await asyncio.sleep(rule.delay)
                if self._strike(rule, stream_id, "before"):
                    return
            try:
                status, headers, body = await self._peer.ask_fake(stream)
            except (OSError, ValueError):
                self._h2.reset_stream(stream_id, h2.errors.ErrorCodes.INTERNAL_ERROR)
                self._flush()
                return
            if any(self._strike(rule, stream_id, "after") for rule in rules):
                return
            if any(rule.early_hints for rule in rules):
                self._h2.send_headers(stream_id, [(":status", "103"), ("link", "</next>")])
            self._h2.send_headers(stream_id, [(":status", str(status)), *headers])
            self._flush()
            middle = next((rule for rule in rules if rule.when == "middle"), None)
            await self._send(stream_id, body[: len(body) // 2] if middle else body)
            if middle is not None and self._strike(middle, stream_id, "middle"):
                return
            if any(rule.trailers for rule in rules):
                self._h2.send_headers(stream_id, [("x-trailer", "there")], end_stream=True)
            else:
                self._h2.end_stream(stream_id)
            self._flush()

    def _strike(self, rule: Http2Rule, stream_id: int, moment: str) -> bool:
        """Whether the request gets no (further) answer."""
        if rule.when != moment:
            return False
        code = CODES[rule.code]
        if rule.goaway:
            self._last = stream_id if rule.goaway == "served" else stream_id - 2
            last = max(0, self._last)
            self._send_goaway(code, last)
            return rule.goaway == "unserved"
        if rule.rst:
            self._h2.reset_stream(stream_id, code)
            self._flush()
            return True
        if rule.hang_up:
            self._writer.transport.abort()
            return True
        return False

    def _send_goaway(self, code: h2.errors.ErrorCodes, last: int) -> None:
        """By hand: to h2 a connection that said GOAWAY is over, and open streams with it."""
        self._flush()
        payload = last.to_bytes(4, "big") + int(code).to_bytes(4, "big")
        self._writer.write(len(payload).to_bytes(3, "big") + b"\x07\x00" + bytes(4) + payload)

    async def _send(self, stream_id: int, body: bytes) -> None:
        while body:
            room = min(
                self._h2.local_flow_control_window(stream_id),
                self._h2.max_outbound_frame_size,
                self._faults.frame_bytes,
            )
            if room <= 0:
                self._window_grew.clear()
                await self._window_grew.wait()
                continue
            self._h2.send_data(stream_id, body[:room])
            body = body[room:]
            self._flush()
            await self._writer.drain()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        # Nobody hears what is said after the connection's end.
        if data and not self._writer.is_closing():
            self._writer.write(data)
