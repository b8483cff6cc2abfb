"""Procfiles: one `name: command` a line, where `bursar` means this very installation."""

import re
import shlex
import string
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.errors import BadInputError

BURSAR: Final = (sys.executable, "-m", "workers.cli")
_LINE: Final = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One process type: what it is called and what runs."""

    name: str
    arguments: tuple[str, ...]


def parse(text: str, place: str, environment: Mapping[str, str]) -> list[Line]:
    """Return the process types of a Procfile, in its order.

    `$NAME` and `${NAME}` are taken from `environment`; there is no shell, so no pipes and no
    redirections. Raises `BadInputError` naming `place` and the line.
    """
    found: dict[str, Line] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        if not raw.strip() or raw.lstrip().startswith("#"):
            continue
        where = f"{place}, line {number}"
        match = _LINE.fullmatch(raw.strip())
        if match is None:
            raise BadInputError(where, raw, "a line must read `name: command`")
        if match[1] in found:
            raise BadInputError(where, match[1], "a name may stand only once")
        found[match[1]] = Line(name=match[1], arguments=_command(match[2], where, environment))
    return list(found.values())


def _command(text: str, where: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    try:
        words = [string.Template(word).substitute(environment) for word in shlex.split(text)]
    except KeyError as error:
        raise BadInputError(where, text, f"{error.args[0]} is not set") from None
    except ValueError as error:
        raise BadInputError(where, text, str(error)) from None
    if not words or not words[0]:
        raise BadInputError(where, text, "there is no command")
    return (*BURSAR, *words[1:]) if words[0] == "bursar" else tuple(words)
