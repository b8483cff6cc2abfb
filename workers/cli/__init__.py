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
    _open_what_is_closed()
    try:
        words = sys.argv[1:] if arguments is None else arguments
        code = _unreadable(words) or _run(hoist(words))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except (OSError, KeyboardInterrupt) as error:
        return exit_code(error)
    return code


def hoist(arguments: Sequence[str]) -> list[str]:
    """Move the program's own options to the front, so that they may stand after the command too.

    One without its value is returned alone, to be refused for that.
    """
    first: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in EVERYWHERE:
            value = next(words, None)
            if value is None:
                return [word]
            first += [word, value]
        elif word.startswith(tuple(f"{name}=" for name in EVERYWHERE)):
            first.append(word)
        else:
            rest.append(word)
    return first + rest


def exit_code(error: BaseException) -> int:
    """Say on stderr what went wrong, in one message, and return the exit code for it.

    Raises what is neither expected nor a fallen invariant: that is a defect, with its traceback.
    """
    import typer

    from domain.errors import BrokenError, ExpectedError

    match error:
        case typer.Exit(exit_code=code):
            return int(code)
        case typer.TyperException(exit_code=code):
            from workers.cli.usage import complaint

            told = complaint(error)
            if told is None:
                error.show()  # type: ignore[attr-defined]  # what typer raises can show itself
            else:
                _say(str(told))
            return int(code)
        case ExpectedError(exit_code=code):
            _say(str(error))
            return int(code)
        case BrokenError():
            _say(f"an invariant fell; nothing may go on before it is understood: {error}")
            return 1
        case BrokenPipeError():
            raise error
        case OSError(strerror=str(why)):
            _say(f"{error.filename}: {why}" if error.filename else why)
            return 1
        case KeyboardInterrupt() | typer.Abort():
            _say("interrupted; what was committed stays, and the same command goes on from there")
            return INTERRUPTED
        case _:
            raise error


def _run(arguments: list[str]) -> int:
    from workers.cli.app import program

    try:
        with program().make_context("bursar", arguments) as context:
            program().invoke(context)
    except BaseException as error:  # noqa: BLE001  sorted out there; defects are raised again
        return exit_code(error)
    return 0


def _unreadable(words: Sequence[str]) -> int:
    """Refuse words that are not text, unless they are the names of files; returns the exit code."""
    for word in words:
        if any("\ud800" <= c <= "\udfff" for c in word) and not os.path.lexists(word):
            _say(f"argument: {word!r}: must be UTF-8 text, or the name of a file that is there")
            return 2
    return 0


def _open_what_is_closed() -> None:
    """Let what nobody can read go nowhere: started with `>&-`, Python has no stream at all."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  for as long as we run
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  for as long as we run


def _say(message: str) -> None:
    sys.stderr.write(f"bursar: {message.strip() or 'no reason given'}\n")
