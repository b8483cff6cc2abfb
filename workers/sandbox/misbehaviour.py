"""Answers that go wrong on the line: late, in drips, cut short, or not at all."""

import asyncio
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from workers.sandbox.wires import Wires

DRIP_SECONDS: Final = 0.05
"""Time between two bytes of a dripping body: far below any time-out of a single read."""


class Cut(Response):
    """A reset instead of an answer."""

    def __init__(self, wires: Wires) -> None:
        super().__init__()
        self._wires = wires

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, badly."""
        self._wires.cut(scope)
        await _gone(receive)


class CutShort(Response):
    """The first half of an answer, then a reset."""

    def __init__(self, whole: Response, wires: Wires) -> None:
        super().__init__()
        self._whole, self._wires = whole, wires

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, badly."""
        body = bytes(self._whole.body)
        await send(_start(self._whole))
        await send(_part(body[: len(body) // 2]))
        # Let the half arrive: a reset discards what the other side has not read yet.
        await asyncio.sleep(DRIP_SECONDS)
        self._wires.cut(scope)
        await _gone(receive)


class Late(Response):
    """An answer after some seconds."""

    def __init__(self, whole: Response, seconds: float) -> None:
        super().__init__()
        self._whole, self._seconds = whole, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, badly."""
        await _gone_within(receive, self._seconds)
        await self._whole(scope, receive, send)


class Hang(Response):
    """No answer: the connection stays open until the client leaves, or the time is over."""

    def __init__(self, seconds: float, wires: Wires) -> None:
        super().__init__()
        self._seconds, self._wires = seconds, wires

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, badly."""
        if not await _gone_within(receive, self._seconds):
            self._wires.cut(scope)
            await _gone(receive)


class Drip(Response):
    """An answer whose body comes a byte at a time and never ends while anybody reads."""

    def __init__(self, whole: Response, seconds: float, wires: Wires) -> None:
        super().__init__()
        self._whole, self._seconds, self._wires = whole, seconds, wires

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, badly."""
        drips = max(1, round(self._seconds / DRIP_SECONDS))
        await send(
            {
                "type": "http.response.start",
                "status": self._whole.status_code,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        for _ in range(drips):
            await send(_part(b" "))
            if await _gone_within(receive, DRIP_SECONDS):
                return
        self._wires.cut(scope)
        await _gone(receive)


def _start(whole: Response) -> dict[str, object]:
    return {
        "type": "http.response.start",
        "status": whole.status_code,
        "headers": whole.raw_headers,
    }


def _part(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _gone_within(receive: Receive, seconds: float) -> bool:
    """Wait until the client has gone, at most `seconds`; True where it has."""
    try:
        await asyncio.wait_for(_gone(receive), seconds)
    except TimeoutError:
        return False
    return True
