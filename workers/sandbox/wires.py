"""Connections that can be cut: ASGI offers no such thing, and a bank that fails needs it."""

import asyncio
import socket
import struct
from typing import Final

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing sends RST, not FIN."""

Address = tuple[str, int]


class Wires:
    """The open connections of a server, by the client's address."""

    def __init__(self) -> None:
        self._transports: dict[Address, asyncio.Transport] = {}
        self._is_served = False

    def protocol(self) -> type[H11Protocol]:
        """Return the protocol class to give to uvicorn, so that its connections are known here."""
        transports = self._transports
        self._is_served = True

        class WiredProtocol(H11Protocol):
            """uvicorn's HTTP/1.1, with each connection on a list."""

            _address: Address | None = None

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
                super().connection_made(transport)
                self._address = _address(transport.get_extra_info("peername"))
                if self._address:
                    transports[self._address] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self._address:
                    transports.pop(self._address, None)
                super().connection_lost(exc)

        return WiredProtocol

    def cut(self, scope: Scope) -> None:
        """Reset the connection that a request came by, if it is still there, with nothing more sent."""
        if not self._is_served:
            raise RuntimeError("only a served bank can cut a connection: see workers.sandbox.serve")
        transport = self._transports.get(_address(scope.get("client")) or ("", 0))
        if transport is None:
            return
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()


def _address(found: object) -> Address | None:
    match found:
        case (str(host), int(port), *_):
            return host, port
        case [str(host), int(port), *_]:
            return host, port
        case _:
            return None
