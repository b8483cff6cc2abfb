"""Whom a door is open to: an application with its token, before a byte of a body is read, and not too often."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from db import applications
from db.applications import Application
from db.engine import Database
from db.tokens import TOKEN_MIN
from workers.web.bodies import TooLargeError, TooSlowError, read_body
from workers.web.limits import Limiter
from workers.web.replies import DeclinedError, Reply, told

BODY_BYTES_MAX: Final = 65_536
BODY_SECONDS_MAX: Final = 5.0
PER_REFUSED_SOURCE: Final = RateLimitItemPerMinute(30)
"""Of calls with no token that holds: those alone are told to wait, and nobody is locked out by them."""
TOKEN_CHARS_MAX: Final = 1_024

Admit = Callable[[Application], object]
"""Raises `DeclinedError` for an application that may not ask this, or not now."""
Answer = Callable[[Application, bytes], Reply]
"""Answers a body. Raises `DeclinedError`, or `BadInputError` for one that breaks a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Lets applications in; every method may be called from any thread."""

    database: Database
    limiter: Limiter

    async def pass_through(self, request: Request, admit: Admit, answer: Answer) -> Response:
        """Answer one request: who asks, whether they may, then the body."""
        source = request.client.host if request.client is not None else ""
        token = _bearer(request.headers.get("authorization", ""))
        # Who asks comes first: of those nobody knows no byte of a body is read.
        who = await run_in_threadpool(told, self._let_in, token, source, admit)
        if isinstance(who, Reply):
            return replace(who, headers={**who.headers, "Connection": "close"}).response()
        try:
            body = await read_body(request, bytes_max=BODY_BYTES_MAX, seconds_max=BODY_SECONDS_MAX)
        except TooLargeError as error:
            return DeclinedError(413, "too_large", str(error), Connection="close").reply.response()
        except TooSlowError as error:
            return DeclinedError(408, "too_slow", str(error), Connection="close").reply.response()
        return (await run_in_threadpool(told, answer, who, body)).response()

    def wait(self, limit: RateLimitItem, name: str) -> None:
        """Count one call of `name`. Raises `DeclinedError` where it was one too many."""
        seconds = self.limiter.wait_seconds(limit, name)
        if seconds is not None:
            message = f"more than {limit.amount} calls a minute"
            raise DeclinedError(429, "too_many", message, Retry_After=str(seconds))

    def _let_in(self, token: str, source: str, admit: Admit) -> Application:
        application = self._who(token, source)
        admit(application)
        return application

    def _who(self, token: str, source: str) -> Application:
        fits = TOKEN_MIN <= len(token) <= TOKEN_CHARS_MAX
        if not fits:
            # No application has one of this length: who goes on and on is told so before the database is asked.
            self.wait(PER_REFUSED_SOURCE, f"refused:{source}")
        with self.database.begin() as tx:
            application, known = applications.identify(tx, token if fits else "")
        if application is not None:
            return application
        if fits:
            self.wait(PER_REFUSED_SOURCE, f"refused:{source}")
        if not known:
            raise DeclinedError(503, "closed", "no application may ask for anything here")
        raise _unauthorized()


def _unauthorized() -> DeclinedError:
    message = "the token is no application's"
    return DeclinedError(401, "unauthorized", message, WWW_Authenticate="Bearer")


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
