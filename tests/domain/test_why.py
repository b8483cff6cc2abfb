"""Why something is where it is: one reason, and never a command that could pay twice."""

from dataclasses import replace

import pytest

from domain.effects import EffectState
from domain.payouts import PayoutState
from domain.runs import RunState
from domain.why import Gate, Place, Surroundings
from domain.why_payouts import PayoutFacts, of_payout
from domain.why_runs import RunFacts, of_run

OPEN = Surroundings(gates=(), workers=2)
MAINTENANCE = Gate(name="maintenance", who="asha", why="upgrade")
PLACE = Place(
    job="payouts.process",
    due="2026-01-05 06:00:00 UTC",
    is_later=False,
    holder=None,
    held_until=None,
    parked=None,
    last_error=None,
    tries=0,
    ahead=3,
)
PAYOUT = PayoutFacts(
    dispersal=None,
    id="P",
    state=PayoutState.APPROVED,
    effect_state=None,
    generation=1,
    sends=0,
    provider_id=None,
    provider_status=None,
    utr=None,
    error=None,
    updated="2026-01-05 05:00:00 UTC",
    last_move="PENDING -> APPROVED by asha",
    findings=(),
    withheld=None,
    recovered=None,
    place=PLACE,
    around=OPEN,
)
RUN = RunFacts(
    id=7,
    job="payouts.process",
    state=RunState.QUEUED,
    origin="operator",
    reason=None,
    due="2026-01-05 06:00:00 UTC",
    is_later=False,
    attempts=0,
    tally={},
    worker=None,
    held_until=None,
    is_lapsed=True,
    around=OPEN,
)


def place(**changes: object) -> Place:
    return replace(PLACE, **changes)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("facts", "reason", "command"),
    [
        (
            replace(PAYOUT, state=PayoutState.PENDING, place=None),
            "nobody has approved",
            "approve P",
        ),
        (PAYOUT, "waits its turn for payouts.process: 3 before it, 2 live", "bursar jobs"),
        (replace(PAYOUT, place=place(is_later=True)), "due at 2026-01-05 06:00:00", None),
        (replace(PAYOUT, place=place(holder=9, held_until="soon")), "run 9", "bursar run 9"),
        (replace(PAYOUT, place=place(parked="the seal")), "parked: the seal", "unpark P"),
        (replace(PAYOUT, around=replace(OPEN, workers=0)), "no live worker", "bursar worker"),
        (replace(PAYOUT, place=None), "this must not be", "bursar audit"),
        (replace(PAYOUT, state=PayoutState.FAILED, error="E: no"), "it failed: E: no", "retry P"),
        (replace(PAYOUT, state=PayoutState.COMPLETED, provider_id="x"), "paid as x", None),
    ],
)
def test_a_payouts_dominant_reason(facts: PayoutFacts, reason: str, command: str | None) -> None:
    why = of_payout(facts)
    assert reason in why.reason
    assert why.command is None if command is None else command in (why.command or "")


def test_what_is_parked_is_not_blamed_on_a_switch() -> None:
    facts = replace(
        PAYOUT, place=place(parked="x"), around=Surroundings(gates=(MAINTENANCE,), workers=0)
    )
    assert "parked" in of_payout(facts).reason


def test_a_switch_comes_before_missing_workers_and_names_its_cure() -> None:
    why = of_payout(replace(PAYOUT, around=Surroundings(gates=(MAINTENANCE,), workers=0)))
    assert why.reason == "maintenance is on, by asha: upgrade"
    assert (why.command or "").startswith("bursar maintenance off")


def test_a_payout_in_doubt_is_resolved_never_retried() -> None:
    """A payout whose send may have begun must not be sent under another key."""
    doubtful = replace(
        PAYOUT, state=PayoutState.PROCESSING, effect_state=EffectState.UNKNOWN, sends=1
    )
    parked = of_payout(replace(doubtful, place=place(parked="too long")))
    assert "resolve P" in (parked.command or "")
    waiting = of_payout(replace(doubtful, place=place(job="payouts.recover", is_later=True)))
    assert "nobody knows yet" in waiting.reason
    assert "retry" not in f"{parked.command}{waiting.command}"


@pytest.mark.parametrize(
    ("sends", "said"), [(0, "never sent"), (1, "sent at most once"), (3, "sent at most 3 times")]
)
def test_how_often_it_may_have_been_sent_is_said_in_words(sends: int, said: str) -> None:
    facts = replace(PAYOUT, effect_state=EffectState.INTENDED, sends=sends, place=place(tries=1))
    told = of_payout(facts).evidence
    assert f"effect intended, {said}" in told
    assert "waits for payouts.process, due 2026-01-05 06:00:00 UTC, tried once" in told


def test_findings_and_the_last_move_are_evidence() -> None:
    why = of_payout(replace(PAYOUT, findings=("P0 books-drift: 1",)))
    assert "finding: P0 books-drift: 1" in why.evidence
    assert any("PENDING -> APPROVED" in line for line in why.evidence)


@pytest.mark.parametrize("state", list(PayoutState))
@pytest.mark.parametrize("effect", [None, *EffectState])
def test_every_state_has_a_reason(state: PayoutState, effect: EffectState | None) -> None:
    assert of_payout(replace(PAYOUT, state=state, effect_state=effect)).reason


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_of_a_run_has_a_reason(state: RunState) -> None:
    assert of_run(replace(RUN, state=state)).reason


def test_a_run_nobody_can_start_says_so() -> None:
    assert of_run(replace(RUN, around=replace(OPEN, workers=0))).command == "bursar worker"


def test_a_wake_up_is_never_retried() -> None:
    why = of_run(replace(RUN, state=RunState.CRASHED, origin="wake"))
    assert "retry" not in (why.command or "")


def test_a_held_run_names_its_switch() -> None:
    facts = replace(RUN, state=RunState.HELD, around=replace(OPEN, gates=(MAINTENANCE,)))
    assert of_run(facts).reason == "maintenance is on, by asha: upgrade"


def test_what_its_provider_has_waits_for_its_webhook_or_the_next_look() -> None:
    later = replace(PLACE, job="payouts.follow", is_later=True)
    sent = replace(
        PAYOUT,
        state=PayoutState.PROCESSING,
        effect_state=EffectState.ACCEPTED,
        sends=1,
        provider_status="queued",
        place=later,
    )
    told = of_payout(sent).reason
    assert told.startswith(
        "its provider has it (queued) and tells of its end by webhook, or when it is asked"
    )
    assert "payouts.follow is due at 2026-01-05 06:00:00 UTC" in told
