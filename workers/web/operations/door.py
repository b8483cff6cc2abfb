"""`POST /v1/<family>/<operation>`: an application asks for an operation on behalf of one of its people.

Who asks, whether they may, then the body, then how often its actor did so, then the operation: in one
transaction with the answer that is kept under its key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db import idempotency
from db.applications import Application
from db.bookings.names import id_of
from db.errors import ContendedError, LockedError, RuleBrokenError
from db.tx import Tx
from domain.errors import BadInputError, BusyError, NotFoundError, RefusedError
from workers.web.gate import Gate
from workers.web.operations.catalog import ALL
from workers.web.operations.shapes import AnyOperation, Asked, Caller, read
from workers.web.replies import DeclinedError, Reply

KEY: Final = "Idempotency-Key"
KEY_CHARS_MAX: Final = 200
CONFLICT: Final = "conflict"
CONFLICTS: Final = (ContendedError, LockedError, RuleBrokenError, BusyError)
"""Somebody else changes the same rows now: nothing was done, and the same may be asked again."""


def routes(gate: Gate) -> Sequence[Route]:
    """The lines of the web process's routes, one for each operation."""
    doors = [Door(gate=gate, operation=operation) for operation in ALL]
    return [Route(door.operation.path, door.asked, methods=["POST"]) for door in doors]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where applications ask for one operation."""

    gate: Gate
    operation: AnyOperation

    async def asked(self, request: Request) -> Response:
        """Answer one request."""
        key = request.headers.get(KEY, "")

        def answer(application: Application, body: bytes) -> Reply:
            try:
                return self._answer(application, key, body)
            except NotFoundError:
                # One text for what is missing and for what is somebody else's: nobody learns which.
                message = "there is no such thing, or it is not this actor's"
                raise DeclinedError(404, "not_found", message) from None
            except CONFLICTS:
                message = "somebody else changes the same now: ask again"
                raise DeclinedError(409, CONFLICT, message) from None
            except RefusedError as refused:
                code = str(getattr(refused, "code", CONFLICT)).lower()
                raise DeclinedError(409, code, str(refused)) from None

        return await self.gate.pass_through(request, self._admit, answer)

    def _admit(self, application: Application) -> None:
        if self.operation.name not in application.scopes:
            message = f"{application.name} may not ask for this operation"
            raise DeclinedError(403, "forbidden", message)

    def _answer(self, application: Application, key: str, body: bytes) -> Reply:
        operation = self.operation
        if not operation.is_reading:
            _check(key)
        asked: Asked = read(operation.asks, body)
        with self.gate.database.begin() as tx:
            actor = id_of(tx, operation.actor, asked.actor)
        self.gate.wait(operation.bucket.limit, f"{operation.bucket.name}:{actor}")
        caller = Caller(application=application.name, actor=actor, key=key)
        return self.gate.database.transact(lambda tx: self._done(tx, caller, asked))

    def _done(self, tx: Tx, caller: Caller, asked: Asked) -> Reply:
        operation = self.operation
        if operation.is_reading:
            found = operation.work(tx, caller, asked)
            return Reply(status=200, document=found.model_dump(mode="json"))
        key = idempotency.Key(application=caller.application, actor=caller.actor, key=caller.key)
        document = idempotency.once(
            tx,
            key,
            _hash(operation, asked),
            lambda: operation.work(tx, caller, asked).model_dump_json(),
        )
        return Reply(status=200, document=document)


def _check(key: str) -> None:
    if not 0 < len(key) <= KEY_CHARS_MAX or not key.isascii() or not key.isprintable():
        rule = f"must be 1 to {KEY_CHARS_MAX} printable characters of ASCII"
        raise BadInputError(KEY, key, rule)


def _hash(operation: AnyOperation, asked: Asked) -> str:
    """SHA-256 of what is asked for, whoever's spaces and order of fields it came in."""
    said = f"{operation.name} {asked.model_dump_json(exclude_defaults=True)}"
    return sha256(said.encode()).hexdigest()
