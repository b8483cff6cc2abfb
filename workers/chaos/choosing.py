"""From what was asked for to a plan and who drives it: a storm, one scenario, or the figures of recovery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from domain.errors import BadInputError
from workers.chaos.bank import CANARIES, EVENTS, EVERYTHING
from workers.chaos.disk import is_possible
from workers.chaos.measuring import Measuring
from workers.chaos.plan import Plan, storm
from workers.chaos.run import Drive
from workers.chaos.scenarios import SCENARIOS, due_of, edges, strikes_of
from workers.chaos.storm import Storm
from workers.chaos.strikes import DISK, FAULTS, GROUPS, PASSIVE

RECOVERY: Final = "recovery"
NAMES: Final = (*SCENARIOS, RECOVERY)
BANK_FAULTS: Final[Mapping[str, str]] = {"bank-faults": EVERYTHING, "web-events": EVENTS}
"""Faults that the bank makes by itself, all the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command was given. `faults` are names or groups, comma-separated."""

    home: Path
    seed: int
    seconds: float
    faults: str
    scenario: str | None
    lease_seconds: float
    rate_per_second: float
    quiet_seconds_max: float
    canary: str | None


def plan_of(wish: Wish) -> tuple[Plan, Drive]:
    """Return the plan, and what drives it. Raises `BadInputError`."""
    if wish.canary is not None and wish.canary not in CANARIES:
        raise BadInputError("--canary", wish.canary, f"must be one of {', '.join(CANARIES)}")
    if wish.scenario is None:
        return _storm(wish), Storm
    if wish.scenario not in NAMES:
        raise BadInputError("--scenario", wish.scenario, f"must be one of {', '.join(NAMES)}")
    plan = _bare(wish, wish.scenario)
    if wish.scenario == RECOVERY:
        return replace(plan, rate_per_second=0.0), Measuring
    begins, ends = edges(plan)[2:4]
    plan = replace(
        plan,
        strikes=due_of(wish.scenario, wish.seconds),
        surge=(begins, ends, SCENARIOS[wish.scenario].load),
    )
    return plan, partial(Storm, strikes=strikes_of(wish.scenario, plan))


def _bare(wish: Wish, name: str) -> Plan:
    return Plan(
        home=wish.home,
        seed=wish.seed,
        storm_seconds=wish.seconds,
        quiet_seconds_max=wish.quiet_seconds_max,
        lease_seconds=wish.lease_seconds,
        rate_per_second=wish.rate_per_second,
        strikes=(),
        faults=(),
        canary=wish.canary,
        meddling=False,
        name=name,
    )


def _storm(wish: Wish) -> Plan:
    wanted = chosen(wish.faults)
    impossible = [DISK] if DISK in wanted and not is_possible() else []
    possible = [name for name in wanted if name not in impossible]
    if not possible:
        rule = "cannot be made here: it needs root and a tmpfs"
        raise BadInputError("--faults", wish.faults, rule)
    moments = [name for name in possible if name not in PASSIVE]
    return replace(
        _bare(wish, "storm"),
        strikes=storm(wish.seed, moments, wish.seconds),
        faults=possible,
        impossible=impossible,
        bank_faults=",".join(rates for name, rates in BANK_FAULTS.items() if name in possible),
        meddling=True,
    )


def chosen(text: str) -> Sequence[str]:
    """Return the faults that `text` names, in their own order; raises `BadInputError`."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in {"all", *FAULTS, *GROUPS}:
            rule = f"must be all, one of {', '.join(GROUPS)}, or a name of --faults list"
            raise BadInputError("--faults", word, rule)
    found = [
        name
        for name in FAULTS
        if "all" in words or name in words or name.partition("-")[0] in words
    ]
    if not found:
        raise BadInputError("--faults", text, "names no fault")
    return found
