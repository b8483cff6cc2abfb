"""A request's body, read as it was sent, within bounds of size and time that its sender cannot talk away."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from domain.errors import ExpectedError


class TooLargeError(ExpectedError):
    """The body is larger than is read; the rest of it was left."""


class TooSlowError(ExpectedError):
    """The body did not come in time, or its sender hung up."""


async def read_body(request: Request, *, bytes_max: int, seconds_max: float) -> bytes:
    """Return the whole body. Raises `TooLargeError`, `TooSlowError`.

    A length that the sender states is believed only where it is too large already.
    """
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > bytes_max:
        raise TooLargeError(f"the body is larger than {bytes_max} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds_max):
            async for part in request.stream():
                body += part
                if len(body) > bytes_max:
                    raise TooLargeError(f"the body is larger than {bytes_max} bytes")
    except (TimeoutError, ClientDisconnect):
        raise TooSlowError(f"the body was not whole within {seconds_max:g} s") from None
    return bytes(body)
