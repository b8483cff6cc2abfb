"""What came to the bank's door: every request for a payment, byte for byte."""

from collections.abc import MutableMapping
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from workers.sandbox.requests import KEY_HEADER


class Sent(NamedTuple):
    """One request for a payment."""

    key: str
    body: bytes


class Recorder:
    """Around the bank's application: keeps what is sent to it, and changes nothing."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self._app: ASGIApp | None = None

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application to serve instead of `app`."""
        self._app = app
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        assert self._app is not None
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", "/v1/payouts"):
            await self._app(scope, receive, send)
            return
        key = dict(scope["headers"]).get(KEY_HEADER.lower().encode(), b"").decode()
        body = bytearray()

        async def kept() -> MutableMapping[str, Any]:
            message = await receive()
            if message["type"] == "http.request":
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    self.sent.append(Sent(key, bytes(body)))
            return message

        await self._app(scope, kept, send)
