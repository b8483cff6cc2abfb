"""The protocol keeps its promises whatever happens in whatever order, and every planted mistake breaks one."""

import os
from typing import Final

import pytest

from tests.models.checker import explore
from tests.models.mistakes import Mistake
from tests.models.states import World

FULL: Final = os.environ.get("BURSAR_TEST_EXPLORE") == "full"

WORLDS: Final = (
    {
        "3 workers, 3 crashes": World(),
        "2 workers, 2 crashes, 3 claims": World(workers=2, crashes=2, claims_max=3),
        "2 workers, 1 crash, 2 generations": World(workers=2, crashes=1, generations=2),
        "2 workers, 2 crashes, 2 late requests": World(workers=2, crashes=2, wire_max=2),
    }
    if FULL
    else {"2 workers, 1 crash": World(workers=2, crashes=1)}
)

TWICE, FAILED, CANCELLED = "PAID TWICE", "FAILED BUT PAID", "CANCELLED BUT PAID"
_M = Mistake
FINDS: Final = {
    _M.NO_KEY: TWICE,
    _M.KEY_PER_ATTEMPT: TWICE,
    _M.NO_FENCE: "FAILED and still waiting",
    _M.TAKEN_UNFENCED: "two workers hold one token",
    _M.READ_THEN_WRITE: "CANCELLED became PROCESSING",
    _M.CLIENT_CLOCK_CLAIM: "two workers hold one lease",
    _M.CLIENT_CLOCK_CALL: FAILED,
    _M.TIMEOUT_IS_FAILURE: FAILED,
    _M.SECOND_REFUSAL: FAILED,
    _M.SECOND_NOT_SENT: TWICE,
    _M.SENDS_RESET: TWICE,
    _M.INTENT_AFTER_CALL: TWICE,
    _M.RELEASED_WHILE_OUT: FAILED,
    _M.LAPSED_IS_FAILED: FAILED,
    _M.WORN_IS_FAILED: FAILED,
    _M.ABSENT_IS_FAILED: FAILED,
    _M.SENT_WITHOUT_LOOKING: TWICE,
    _M.WINDOW_FROM_LAST_SEND: TWICE,
    _M.FORGOTTEN_WHILE_OUT: TWICE,
    _M.TWO_GENERATIONS: CANCELLED,
    _M.REFERENCE_REPEATS: FAILED,
    _M.CANCELLED_AFTER_SEND: CANCELLED,
    _M.DECLARED_WHILE_OUT: FAILED,
    _M.UNKNOWN_FORGOTTEN: "STUCK",
    _M.HANDED_OVER_UNSEEN: "STUCK",
}
NEEDS: Final = {
    _M.WINDOW_FROM_LAST_SEND: {"claims_max": 2},
    _M.TWO_GENERATIONS: {"generations": 2},
    _M.REFERENCE_REPEATS: {"generations": 2},
}
"""What a world needs beside two workers and a crash for the mistake to show."""

HAPPENED: Final = (
    "claim for a send (start_processing)",
    "claim for a look-up (start_recovering)",
    "claim to follow (start_following)",
    "claim for a send (start_processing): handed to payouts.recover",
    "the lease lapses",
    "the provider forgets the key",
    "released unsent (settler.release, effects.unsend)",
    "the worker dies, its request still under way",
    "the bank pays, the reply is lost",
    "the bank knows the key, the reply arrives",
    "a late request arrives: the bank pays",
    "the lease outlives a second call (still_mine)",
    "settle accepted: to follow",
    "settle rejected: failed",
    "settle not_sent: put back",
    "settle unknown: to recover",
    "settle absent: parked: two people decide",
    "settle paid: COMPLETED",
    "settle reversed: REVERSED",
    "whatever it heard, fenced: kept as evidence",
    "declared unpaid (resolve.declare)",
)
"""What must have happened somewhere for a search to say anything."""


@pytest.mark.timeout(900)  # of a machine that does much else
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_each_effect_happens_once_whatever_happens_in_whatever_order(world: World) -> None:
    """Also: what ended stays ended, nobody holds what another holds, and every end stays in reach."""
    report = explore(world)
    print(report)  # noqa: T201  how much was looked at belongs to the result
    assert report.found is None, str(report)
    assert set(HAPPENED) <= report.happened


@pytest.mark.parametrize("mistake", Mistake)
def test_a_planted_mistake_is_found_with_the_way_to_it(mistake: Mistake) -> None:
    """A checker that finds nothing proves something only if it finds these."""
    needs = {"workers": 2, "crashes": 1} | NEEDS.get(mistake, {})
    report = explore(World(**needs, mistake=mistake))
    print(f"{mistake}\n{report}")  # noqa: T201  the trace is the result
    assert FINDS[mistake] in (report.found or "nothing"), str(report)
    assert report.trace
