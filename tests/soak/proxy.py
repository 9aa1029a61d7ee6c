"""A TCP proxy that counts what passes, can cut or stall it, and be a bad network."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Callable

from toxics import Toxic, Way

# Begins the last line that matters of each HTTP/1 request; seldom split over two reads,
# and then one request goes uncounted.
REQUEST_MARK = b" HTTP/1.1\r\n"
CHUNK = 64 << 10
# Lingers for no time at all.
RESET_WHEN_CLOSED = struct.pack("ii", 1, 0)


class Proxy:
    """Connections to its port go to `target_port`, both on the loopback interface.

    Lives in one event loop. Counts since the start: `requests` of HTTP/1 on the way to the
    target, `bytes_back` on the way back; `on_progress` is called whenever one has grown,
    before what made it grow is passed on. `toxics` are there from the start.
    """

    def __init__(
        self,
        target_port: int,
        on_progress: Callable[[], None],
        toxics: tuple[Toxic, ...] = (),
        seed: int = 1,
    ) -> None:
        self._toxics = toxics
        self._chance = random.Random(f"proxy {seed}")
        self._accepted = 0
        self.requests = 0
        self.bytes_back = 0
        self._target_port = target_port
        self._on_progress = on_progress
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def cut(self) -> None:
        """Resets every connection; new ones are welcome."""
        for writer in self._writers:
            _reset(writer)

    def stall(self) -> None:
        """Passes nothing on until `flow`, in neither direction, also of new connections."""
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.flow()
        self.cut()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._writers.add(writer)
        self._accepted += 1
        up, down = (self._way(self._accepted, direction) for direction in ("up", "down"))
        ends = [writer]
        ways: list[asyncio.Task[None]] = []
        # Either side may reset, and a test that ends cancels.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            from_target, back = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers.add(back)
            ends.append(back)
            ways.append(asyncio.create_task(self._pump(reader, back, up, self._count_request)))
            ways.append(
                asyncio.create_task(self._pump(from_target, writer, down, self._count_back))
            )
            limits = [way.reset_after for way in (up, down) if way.reset_after is not None]
            # The programs on both sides never close one direction only.
            done, _ = await asyncio.wait(
                ways,
                return_when=asyncio.FIRST_COMPLETED,
                timeout=min(limits) if limits else None,
            )
            if not done:
                for end in ends:
                    _reset(end)
        for way in ways:
            way.cancel()
        # Who stops the proxy may cancel here as well.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*ways, return_exceptions=True)
        for end in ends:
            self._writers.discard(end)
            # Sends what is still in the buffer; a killed program's part arrives.
            end.close()
        self._connections.discard(task)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        way: Way,
        count: Callable[[bytes], None],
    ) -> None:
        while chunk := await reader.read(CHUNK):
            count(chunk)
            await self._flowing.wait()
            async for piece in way.pieces(chunk):
                writer.write(piece)
                await writer.drain()
        await way.close()

    def _way(self, connection: int, direction: str) -> Way:
        hit = tuple(toxic for toxic in self._toxics if toxic.hits(connection, direction))
        return Way(hit, self._chance)

    def _count_request(self, chunk: bytes) -> None:
        requests = chunk.count(REQUEST_MARK)
        if requests:
            self.requests += requests
            self._on_progress()

    def _count_back(self, chunk: bytes) -> None:
        self.bytes_back += len(chunk)
        self._on_progress()


def _reset(writer: asyncio.StreamWriter) -> None:
    end: socket.socket = writer.get_extra_info("socket")
    # It may have been closed just now.
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_WHEN_CLOSED)
    writer.transport.abort()
