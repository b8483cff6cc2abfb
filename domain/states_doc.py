"""`docs/states.md`, made from the machines themselves: what may become what, and what each state waits for."""

import sys
from collections.abc import Sequence
from typing import Final

from domain.families import MACHINES
from domain.machines import Guard, Machine, Move

_INTRODUCTION: Final = """# States

This page is made from the frozen tables in `domain/`, which code, audit and database read too. Do not edit it:
`python -m domain.states_doc > docs/states.md` makes it anew.

A move under a *lease* needs the subject's work row and compares its token; one that needs *no lease* is a
compare-and-swap alone, for subjects that no job holds. *By hand* is said of a move under a lease that `bursar_move()`
may make too, where no worker holds the subject. What needs its *operation* changes with all that belongs to it, in one
transaction of that operation, and by no door.
"""


def page(machines: Sequence[Machine] = MACHINES) -> str:
    """Return the whole page."""
    return "\n".join([_INTRODUCTION, *(_section(machine) for machine in machines)])


def _section(machine: Machine) -> str:
    parts = [f"## {machine.kind}\n", _diagram(machine), _table(_MOVES, _moves(machine))]
    if machine.calls:
        parts += ["What it waits for:\n", _table(_CALLS, _calls(machine))]
    return "\n".join(parts)


def _diagram(machine: Machine) -> str:
    begins = [f"  [*] --> {state}" for state in sorted(machine.initial)]
    moves = [f"  {move.source} --> {move.target}" for move in machine.moves]
    return "\n".join(["```mermaid", "stateDiagram-v2", *begins, *moves, "```\n"])


_MOVES: Final = ("from", "to", "when", "needs")
_CALLS: Final = ("state", "newest effect", "exactly one work row", "due")
_NEEDS: Final = {
    Guard.LEASED: "a lease",
    Guard.UNLEASED: "no lease",
    Guard.OPERATION: "its operation",
}


def _moves(machine: Machine) -> list[tuple[str, ...]]:
    return [(move.source, move.target, move.when, _needs(move)) for move in machine.moves]


def _needs(move: Move) -> str:
    return _NEEDS[move.guard] + (", or by hand" if move.by_hand else "")


def _calls(machine: Machine) -> list[tuple[str, ...]]:
    return [
        (
            call.state + (f" ({call.variant})" if call.variant else ""),
            call.outcome or "any or none",
            f"`{call.job}`" if call.job else "none",
            call.due,
        )
        for call in machine.calls
    ]


def _without(machine: Machine, state: str) -> str:
    """What a line without an outcome stands for: no effect, or whatever its effect says."""
    return "none" if any(c.outcome for c in machine.calls if c.state == state) else "any or none"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
