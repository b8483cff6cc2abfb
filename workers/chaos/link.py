"""The way between the system and one of its servers: a TCP proxy that drops, stalls, half-closes and cuts.

It runs in a thread of its own; every method may be called from any other. The server is a port of
this machine or a socket of the file system.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

BYTES_MAX: Final = 65_536
COMMIT: Final = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""How a driver of Postgres asks for one."""
RESET: Final = struct.pack("ii", 1, 0)
"""Ends a connection of TCP by a reset, not in order."""
START_SECONDS_MAX: Final = 10.0

T = TypeVar("T")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True, eq=False)
class _Passage:
    """One connection through the link."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    deaf: bool = False
    """The server's words no longer arrive."""
    commits: bool = False
    """Its commit is on its way, and the reply will be cut off."""

    def abort(self) -> None:
        for end in (self.near, self.far):
            with contextlib.suppress(RuntimeError, OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.transport.abort()


class Link:
    """A proxy on a free port. Use as a context manager."""

    def __init__(self, target: int | Path) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link", daemon=True)
        self._passages: set[_Passage] = set()
        self._flowing = asyncio.Event()
        self._refusing = False
        self._commits_to_cut = 0
        self._server: asyncio.Server | None = None
        self.port = 0
        self.commits_cut = 0
        """Commits whose reply never arrived: forwarded and answered, and then the connection ended."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS_MAX)
        self._loop.close()

    def drop(self) -> int:
        """Reset every connection; returns how many there were."""
        return self._call(self._drop)

    def stall(self) -> None:
        """Let nothing pass, in neither direction, until healed."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def refuse(self) -> None:
        """Reset every connection, and each that is tried, until healed."""
        self._refusing = True
        self.drop()

    def half_close(self) -> int:
        """End the server's half of every connection: what clients send still arrives, no answer does."""
        return self._call(self._half_close)

    def cut_commits(self, count: int) -> None:
        """Of the next commits let `count` reach the server, and cut the connection on the reply."""
        self._commits_to_cut = count

    def heal(self) -> None:
        """Do harm no more; connections that were harmed stay so."""
        self._refusing, self._commits_to_cut = False, 0
        self._loop.call_soon_threadsafe(self._flowing.set)

    def _call(self, act: Callable[[], Awaitable[T]]) -> T:
        asked: Future[T] = asyncio.run_coroutine_threadsafe(_waited(act), self._loop)
        return asked.result(START_SECONDS_MAX)

    async def _listen(self) -> None:
        self._flowing.set()
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._drop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _drop(self) -> int:
        found = list(self._passages)
        for passage in found:
            passage.abort()
        return len(found)

    async def _half_close(self) -> int:
        found = list(self._passages)
        for passage in found:
            passage.deaf = True
            with contextlib.suppress(OSError, RuntimeError):
                passage.near.write_eof()
        return len(found)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far = await self._open()
        except OSError:
            writer.transport.abort()
            return
        passage = _Passage(near=writer, far=far)
        self._passages.add(passage)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(passage, reader, far))
                both.create_task(self._pump(passage, far_reader, writer))
        finally:
            self._passages.discard(passage)
            passage.abort()

    async def _open(self) -> Streams:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection("127.0.0.1", self._target)

    async def _pump(
        self, passage: _Passage, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(BYTES_MAX):
                await self._flowing.wait()
                if sink is passage.far:
                    self._note_commit(passage, data)
                elif passage.commits:
                    self.commits_cut += 1
                    break
                if not (passage.deaf and sink is passage.near):
                    sink.write(data)
                    await sink.drain()
        passage.abort()

    def _note_commit(self, passage: _Passage, data: bytes) -> None:
        if self._commits_to_cut > 0 and COMMIT in data:
            self._commits_to_cut -= 1
            passage.commits = True


async def _waited(act: Callable[[], Awaitable[T]]) -> T:
    return await act()
