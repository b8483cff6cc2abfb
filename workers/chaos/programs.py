"""The processes of a storm's house, and what they are told."""

import sys
from collections.abc import Mapping
from typing import Final, TextIO

from workers.chaos.plan import Plan
from workers.procfile import BURSAR
from workers.supervisor import Output, Program, Supervisor

WORKERS: Final = ("worker", "elder", "next")
SCHEDULER, SANDBOX, WEB = "scheduler", "sandbox", "web"
RELEASES: Final = "deploy-releases"
HEALTHY_SECONDS: Final = 2.0
"""A process that lived this long is started again at once when it ends: here they end all the time."""


def supervisor(plan: Plan, told: Mapping[str, str], stream: TextIO) -> Supervisor:
    """Return the supervisor of everything, with nothing started."""
    elder = (sys.executable, "-m", "workers.chaos.release")
    programs = [
        _program("worker", (*BURSAR, "worker"), told, copies=plan.workers, order=1, beats=True),
        _program(SCHEDULER, (*BURSAR, SCHEDULER), told, copies=2, order=0),
        # As those who make times: nothing new is heard while workers end.
        _program(WEB, (*BURSAR, WEB), told, copies=1, order=0),
        _program(SANDBOX, (*BURSAR, SANDBOX), told, copies=1, order=2),
    ]
    if RELEASES in plan.faults:
        programs += [
            _program(name, (*elder, name), told, copies=1, order=1, beats=True)
            for name in ("elder", "next")
        ]
    return Supervisor(programs, Output(stream))


def _program(
    name: str,
    arguments: tuple[str, ...],
    told: Mapping[str, str],
    *,
    copies: int,
    order: int,
    beats: bool = False,
) -> Program:
    return Program(
        name=name,
        arguments=arguments,
        environment=told,
        copies=copies,
        stop_order=order,
        beat_seconds_max=60.0 if beats else None,
        healthy_seconds=HEALTHY_SECONDS,
    )
