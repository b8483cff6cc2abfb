"""A request for a run as it is written in JSON: read strictly, each mistake named by field, value and rule."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.errors import BadInputError

KEY_CHARS_MAX: Final = 200
NAMES_MAX: Final = 1_000
NAME_CHARS_MAX: Final = 200
FIELDS: Final = ("job", "scope", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Which job, narrowed to what, under which key. The job may be one there is not."""

    job: str
    scope: Mapping[str, Sequence[str]]
    key: str


def read(body: bytes) -> RunRequest:
    """Return what `body` asks for. Raises `BadInputError`, whose place is the field."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInputError("body", "", "must be JSON in UTF-8") from error
    if not isinstance(found, dict):
        raise BadInputError("body", "", "must be a JSON object")
    for field in found:
        if field not in FIELDS:
            raise BadInputError(field, found[field], f"must be one of {', '.join(FIELDS)}")
    return RunRequest(
        job=_text("job", found.get("job"), KEY_CHARS_MAX),
        scope=_scope(found.get("scope", {})),
        key=_text("key", found.get("key"), KEY_CHARS_MAX),
    )


def _text(field: str, value: object, chars_max: int) -> str:
    if (
        not isinstance(value, str)
        or not value.strip()
        or not value.isprintable()
        or len(value) > chars_max
    ):
        raise BadInputError(field, value, f"must be 1 to {chars_max} printable characters")
    return value


def _scope(value: object) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise BadInputError("scope", value, "must be an object of lists of names")
    named: dict[str, list[str]] = {}
    for key, names in value.items():
        field = f"scope.{key}"
        if not isinstance(names, list) or not 0 < len(names) <= NAMES_MAX:
            raise BadInputError(field, names, f"must be a list of 1 to {NAMES_MAX} names")
        named[key] = [_text(field, name, NAME_CHARS_MAX) for name in names]
    return named
