"""`POST /v1/runs`: an application asks for a run, as somebody else does at a shell; the same key is the same run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItemPerMinute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db import runs
from db.applications import Application
from db.tx import Tx
from domain.errors import BadInputError
from domain.runs import Origin
from jobs.catalog import ALL
from jobs.shapes import Job
from workers.scopes import resolve
from workers.web.gate import Gate
from workers.web.replies import DeclinedError, Reply
from workers.web.requests import RunRequest, read

PATH: Final = "/v1/runs"
PER_APPLICATION: Final = RateLimitItemPerMinute(120)
JOBS: Final = {job.name: job for job in ALL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where applications ask for runs; every method may be called from any thread."""

    gate: Gate
    ring: Callable[[int, str], object]
    """Rings for a run (its number, its queue) that was just committed, best effort."""

    def route(self) -> Route:
        """The line of the web process's routes."""
        return Route(PATH, self._asked, methods=["POST"])

    async def _asked(self, request: Request) -> Response:
        return await self.gate.pass_through(request, self.admit, self.put)

    def admit(self, application: Application) -> None:
        """Raise `DeclinedError` for an application that asks too often."""
        self.gate.wait(PER_APPLICATION, application.name)

    def put(self, application: Application, body: bytes) -> Reply:
        """Put the run that `body` asks for on record. Raises `DeclinedError` or `BadInputError` where it may not be."""
        return self._put(application, *_wanted(application, body))

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

        made, state = self.gate.database.transact(put)
        if made.is_new:
            self.ring(made.id, job.queue.value)
        return Reply(status=202 if made.is_new else 200, document={"run": made.id, "state": state})


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
