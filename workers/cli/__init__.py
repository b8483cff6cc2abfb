"""The command line: one entry, and what every error becomes on its way out.

Exit codes: 0 done, 1 it ran and something is wrong, 2 bad usage or bad input and nothing written,
3 a needed server is unreachable, 130 interrupted, 141 nobody reads the output any more.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final

INTERRUPTED: Final = 130
UNREAD: Final = 141
EVERYWHERE: Final = ("--home", "--as")
"""Options of the program itself that may stand anywhere on the line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; nothing is raised but a defect."""
    given = hoist(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    return code


def hoist(arguments: Sequence[str]) -> list[str]:
    """Move the program's own options to the front, so that they may stand after the command too."""
    first: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in EVERYWHERE:
            first += [word, *(value for value in [next(words, None)] if value is not None)]
        elif word.startswith(tuple(f"{name}=" for name in EVERYWHERE)):
            first.append(word)
        else:
            rest.append(word)
    return first + rest


def _run(arguments: list[str]) -> int:
    import typer
    from typer.main import get_command

    from domain.errors import BrokenError, ExpectedError
    from workers.cli.app import build

    command = get_command(build())
    try:
        with command.make_context("bursar", arguments) as context:
            command.invoke(context)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except typer.TyperException as wrong:
        wrong.show()
        return int(wrong.exit_code)
    except ExpectedError as error:
        _say(str(error))
        return error.exit_code
    except BrokenError as error:
        _say(f"an invariant fell; nothing may go on before it is understood: {error}")
        return 1
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted; what was committed stays, and the same command goes on from there")
        return INTERRUPTED
    return 0


def _say(message: str) -> None:
    sys.stderr.write(f"bursar: {message.strip() or 'no reason given'}\n")
