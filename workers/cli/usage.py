"""What an option or argument that cannot be read is told: its name, its value, the rule."""

from enum import Enum
from typing import Final

import typer
from pydantic import ValidationError

from domain.errors import BadInputError

KINDS: Final = {int: "a whole number", float: "a number", bool: "true or false"}
SECONDS: Final = "SECONDS"
"""How an option calls its value that is so many of them."""


def complaint(error: typer.TyperException) -> BadInputError | None:
    """Return the error as every other bad input is told; None for one that is not about a value."""
    cause = error.__cause__
    if not isinstance(error, typer.BadParameter) or not isinstance(cause, ValidationError):
        return None
    if error.param is None:
        return None
    wanted = error.param.type_descriptor
    first = cause.errors()[0]
    place = max(error.param.opts, key=len)
    if not place.startswith("-"):
        place = place.upper()
    if wanted.choices is not None:
        rule = f"must be one of {', '.join(map(_word, wanted.choices))}"
    elif wanted.annotation in KINDS:
        info = wanted.parameter_info
        unit = " of seconds" if error.param.metavar == SECONDS else ""
        rule = f"must be {KINDS[wanted.annotation]}{unit}{_range(info.min, info.max)}"
    else:
        rule = first["msg"][:1].lower() + first["msg"][1:]
    return BadInputError(place, first["input"], rule)


def _word(choice: object) -> str:
    return str(choice.value if isinstance(choice, Enum) else choice)


def _range(low: float | None, high: float | None) -> str:
    match low, high:
        case None, None:
            return ""
        case _, None:
            return f", at least {low}"
        case None, _:
            return f", at most {high}"
        case _:
            return f" from {low} to {high}"
