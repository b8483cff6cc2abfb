"""How long to wait before trying again: fixed ladders, the last step repeated."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

PUT_BACK_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""After nothing was sent: quick at first, since the outage may have been a blink."""
RECOVER_SECONDS: Final = (30.0, 60.0, 120.0, 300.0, 600.0)
"""After an unknown outcome (Razorpay advises 1, 2, 5 minutes, and asking for up to an hour)."""
FOLLOW_SECONDS: Final = (2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""From accepted to final: webhooks usually come first."""
LOOK_AGAIN_SECONDS: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
"""After a read that did not come to it: asked again soon, by the place on its own ladder, which it keeps."""
CLOSE_SECONDS: Final = (5.0, 30.0, 120.0, 600.0, 3600.0)
"""After a gateway did not say what became of an order that nobody waits for."""
NOTICE_SECONDS: Final = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
"""After a notice was not heard: six tries within three quarters of an hour, then one an hour."""
HEAL_SECONDS: Final = (900.0, 1800.0, 3600.0, 7200.0)
"""After what an obligation received could not be divided: a person may have put it right by then."""
SETTLE_ERROR_SECONDS: Final = (5.0, 30.0, 120.0, 600.0)
"""After an item could not be settled because its rows broke a rule."""


def delay(ladder: Sequence[float], tries: int) -> timedelta:
    """Return the wait before try `tries + 1`, counting tries from 0."""
    return timedelta(seconds=ladder[min(tries, len(ladder) - 1)])
