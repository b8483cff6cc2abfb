"""What applications are told: one shape of an answer, one shape of a refusal, whichever door they ask at."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, ParamSpec, TypeVar

from starlette.responses import Response

from domain.errors import BadInputError, ExpectedError

VALUE_CHARS_MAX: Final = 200
"""What an answer repeats of a value."""
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered."""

    status: int
    document: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """As JSON in ASCII, so that no value can be one that cannot be sent."""
        headers = {"Cache-Control": "no-store", **self.headers}
        text = json.dumps(self.document)
        return Response(text, self.status, headers, media_type="application/json")


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


def told(asked: Callable[P, T], *args: P.args, **named: P.kwargs) -> T | Reply:
    """What `asked` returns, or what a caller is told of why it did not."""
    try:
        return asked(*args, **named)
    except DeclinedError as declined:
        return declined.reply
    except BadInputError as bad:
        return DeclinedError(422, "bad_input", f"{bad.place}: {bad.rule}", bad=bad).reply
    except ExpectedError:
        return DeclinedError(503, "unavailable", "the database does not answer now").reply


def _short(value: object) -> str | None:
    return None if value is None else str(value)[:VALUE_CHARS_MAX]
