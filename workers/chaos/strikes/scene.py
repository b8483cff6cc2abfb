"""What a strike works on, and what it returns."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Final

from workers.chaos.agenda import Agenda
from workers.chaos.house import House

DOWN_SECONDS: Final = 2.0
STALL_SECONDS: Final = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a strike works on."""

    house: House
    agenda: Agenda
    chance: Random


Strike = Callable[[Scene], str | None]
"""Strikes, and says whom; None: there was nothing to strike, so it does not count."""


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
