"""`POST /v1/runs`: an application asks for a run, as somebody else does at a shell; the same key is the same run."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, ParamSpec, TypeVar

from limits import RateLimitItemPerMinute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db import applications, runs
from db.applications import Application
from db.engine import Database
from db.tokens import TOKEN_MIN
from db.tx import Tx
from domain.errors import BadInputError, ExpectedError
from domain.runs import Origin
from jobs.catalog import ALL
from jobs.shapes import Job
from workers.broker import Bell
from workers.metrics import Metrics
from workers.scopes import resolve
from workers.servers import Addresses
from workers.settings import Settings
from workers.web.bodies import TooLargeError, TooSlowError, read_body
from workers.web.limits import Limiter
from workers.web.requests import RunRequest, read

PATH: Final = "/v1/runs"
BODY_BYTES_MAX: Final = 65_536
BODY_SECONDS_MAX: Final = 5.0
PER_APPLICATION: Final = RateLimitItemPerMinute(120)
PER_REFUSED_SOURCE: Final = RateLimitItemPerMinute(30)
"""Of calls with no token that holds: those alone are told to wait, and nobody is locked out by them."""
TOKEN_CHARS_MAX: Final = 1_024
VALUE_CHARS_MAX: Final = 200
"""What an answer repeats of a value."""
JOBS: Final = {job.name: job for job in ALL}
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered."""

    status: int
    document: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)


class DeclinedError(ExpectedError):
    """Why nothing was done; the caller is told."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        bad: BadInputError | None = None,
        **headers: str,
    ) -> None:
        super().__init__(message)
        told: dict[str, object] = {"code": code, "message": message}
        told |= {"field": None, "value": None, "rule": None}
        if bad is not None:
            told |= {"field": bad.place, "value": _short(bad.value), "rule": bad.rule}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.reply = Reply(status=status, document={"error": told}, headers=named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where applications ask; every method may be called from any thread."""

    database: Database
    limiter: Limiter
    ring: Callable[[int, str], object]
    """Rings for a run (its number, its queue) that was just committed, best effort."""

    def route(self) -> Route:
        """The line of the web process's routes."""
        return Route(PATH, self._asked, methods=["POST"])

    async def _asked(self, request: Request) -> Response:
        source = request.client.host if request.client is not None else ""
        token = _bearer(request.headers.get("authorization", ""))
        # Who asks comes first: of those nobody knows no byte of a body is read.
        who = await run_in_threadpool(_told, self.admit, token, source)
        if isinstance(who, Reply):
            return _response(replace(who, headers={**who.headers, "Connection": "close"}))
        try:
            body = await read_body(request, bytes_max=BODY_BYTES_MAX, seconds_max=BODY_SECONDS_MAX)
        except TooLargeError as error:
            return _response(DeclinedError(413, "too_large", str(error), Connection="close").reply)
        except TooSlowError as error:
            return _response(DeclinedError(408, "too_slow", str(error), Connection="close").reply)
        return _response(await run_in_threadpool(_told, self.put, who, body))

    def admit(self, token: str, source: str) -> Application:
        """Return the application that shows `token`. Raises `DeclinedError` for whoever may not ask now."""
        application = self._who(token, source)
        self._wait(PER_APPLICATION, application.name)
        return application

    def put(self, application: Application, body: bytes) -> Reply:
        """Put the run that `body` asks for on record. Raises `DeclinedError` or `BadInputError` where it may not be."""
        return self._put(application, *_wanted(application, body))

    def _who(self, token: str, source: str) -> Application:
        if not TOKEN_MIN <= len(token) <= TOKEN_CHARS_MAX:
            # No application has one of this length: the database is not asked.
            self._wait(PER_REFUSED_SOURCE, f"refused:{source}")
            raise _unauthorized()
        with self.database.begin() as tx:
            application, known = applications.identify(tx, token)
        if application is not None:
            return application
        self._wait(PER_REFUSED_SOURCE, f"refused:{source}")
        if not known:
            raise DeclinedError(503, "closed", "no application may ask for runs here")
        raise _unauthorized()

    def _wait(self, limit: RateLimitItemPerMinute, name: str) -> None:
        wait = self.limiter.wait_seconds(limit, name)
        if wait is not None:
            message = f"more than {limit.amount} calls a minute"
            raise DeclinedError(429, "too_many", message, Retry_After=str(wait))

    def _put(self, application: Application, job: type[Job], wanted: RunRequest) -> Reply:
        def put(tx: Tx) -> tuple[runs.Enqueued, str]:
            scope, _ = resolve(tx, wanted.scope)
            request = runs.Request(
                job=job.name,
                queue=job.queue.value,
                version=job.version,
                origin=Origin.HTTP,
                scope=scope,
                key=f"application:{application.name}:{wanted.key}",
                requested_by=f"application:{application.name}",
            )
            [made] = runs.enqueue(tx, [request])
            return made, runs.state_of(tx, made.id)

        made, state = self.database.transact(put)
        if made.is_new:
            self.ring(made.id, job.queue.value)
        return Reply(status=202 if made.is_new else 200, document={"run": made.id, "state": state})


@contextmanager
def open_door(
    settings: Settings, addresses: Addresses, database: Database, metrics: Metrics
) -> Iterator[Door]:
    """Yield the door on this process's servers; what it opened is closed afterwards."""
    url = settings.cache_url or addresses.broker_url
    with ExitStack() as stack:
        bell = Bell(addresses.broker_url)
        stack.callback(bell.close)
        limiter = Limiter(url, fell_back=metrics.limiter_fell_back)
        stack.callback(limiter.close)
        yield Door(
            database=database, limiter=limiter, ring=lambda run, queue: bell.ring(queue, [run])
        )


def _wanted(application: Application, body: bytes) -> tuple[type[Job], RunRequest]:
    wanted = read(body)
    job = JOBS.get(wanted.job)
    if job is None:
        raise DeclinedError(404, "unknown_job", "there is no such job")
    if not job.triggerable or job.name not in application.scopes:
        raise DeclinedError(403, "forbidden", f"{application.name} may not ask for this job")
    for key in wanted.scope:
        if key not in job.scope_keys:
            known = ", ".join(sorted(job.scope_keys)) or "nothing"
            raise BadInputError("scope", key, f"{job.name} can be narrowed by {known}")
    return job, wanted


def _told(asked: Callable[P, T], *args: P.args, **named: P.kwargs) -> T | Reply:
    """What `asked` returns, or what a caller is told of why it did not."""
    try:
        return asked(*args, **named)
    except DeclinedError as declined:
        return declined.reply
    except BadInputError as bad:
        return DeclinedError(422, "bad_input", f"{bad.place}: {bad.rule}", bad=bad).reply
    except ExpectedError:
        return DeclinedError(503, "unavailable", "the database does not answer now").reply


def _unauthorized() -> DeclinedError:
    message = "the token is no application's"
    return DeclinedError(401, "unauthorized", message, WWW_Authenticate="Bearer")


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _short(value: object) -> str | None:
    return None if value is None else str(value)[:VALUE_CHARS_MAX]


def _response(reply: Reply) -> Response:
    """As JSON in ASCII, so that no value can be one that cannot be sent."""
    text = json.dumps(reply.document)
    headers = {"Cache-Control": "no-store", **reply.headers}
    return Response(text, reply.status, headers, media_type="application/json")
