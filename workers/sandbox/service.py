"""What the bank's handlers share: the bank, its orders, its limiter and its connections."""

import math
import time
from dataclasses import dataclass, field

from starlette.requests import Request

from workers.sandbox.bank import Bank
from workers.sandbox.faults import Faults
from workers.sandbox.script import Script
from workers.sandbox.settings import SandboxSettings
from workers.sandbox.till import Till
from workers.sandbox.wires import Wires


class Limiter:
    """A bucket of one second's requests, filled at the rate; a rate of 0 lets all pass."""

    def __init__(self, rate_per_second_max: float) -> None:
        self._rate = rate_per_second_max
        self._held = max(1.0, rate_per_second_max)
        self._filled_at = time.monotonic()

    def admits(self) -> bool:
        """Take a place for one request, where there is one."""
        if not self._rate:
            return True
        now = time.monotonic()
        self._held = min(max(1.0, self._rate), self._held + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._held < 1:
            return False
        self._held -= 1
        return True

    def wait_seconds(self) -> int:
        """Return the whole seconds after which there is a place again."""
        return max(1, math.ceil((1 - self._held) / self._rate)) if self._rate else 1


@dataclass(slots=True, kw_only=True)
class Service:
    """One running bank, and its till."""

    settings: SandboxSettings
    bank: Bank
    till: Till
    limiter: Limiter
    wires: Wires
    faults: Faults
    """The rates in force: those of the settings until a control request changes them."""
    script: Script = field(default_factory=Script)
    busy_until: dict[str, float] = field(default_factory=dict)
    """Keys of transfers that are slow, and when (monotonic seconds) each is done."""


def service_of(request: Request) -> Service:
    """Return the running bank that `request` came to."""
    found: Service = request.app.state.service
    return found
