"""Races about events: the provider calls while workers send, ask and follow, and while operators decide."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from domain.decisions import Decision
from domain.payout_ids import reference
from tests import driving
from tests.builders import hurry, rows
from tests.races import parts
from tests.races.explorer import Race
from tests.races.parts import applies, decides, follow, process, recover, says, works
from tests.races.payouts import in_doubt, states, waits_for
from tests.races.sides import Side
from tests.races.stage import Stage


def sent(stage: Stage) -> UUID:
    """One payout that the bank has accepted."""
    [payout] = parts.payouts(stage, 1)
    driving.drive(stage.worker, process(stage.bank))
    return payout


def called(stage: Stage) -> list[Any]:
    """One payout sent and paid, its provider calling before its worker has settled; the answers."""
    [payout] = parts.payouts(stage, 1)
    answers = parts.act(stage, process, parts.claim(stage, process, run=1, lease_seconds=3600))
    stage.bank.settle(reference(payout, 1), "processed")
    says(stage, payout, "processed")
    return answers


def paid(stage: Stage) -> None:
    """One payout that the bank accepted and has paid since: due to be asked about, and told of."""
    payout = sent(stage)
    stage.bank.settle(reference(payout, 1), "processed")
    says(stage, payout, "processed")
    hurry(stage.worker)


def lost_and_paid(stage: Stage) -> None:
    """One payout whose answer was lost; its look-up is due, and the bank tells of it."""
    [payout] = in_doubt(stage)
    stage.bank.settle(reference(payout, 1), "processed")
    says(stage, payout, "processed")


def paid_and_given_back(stage: Stage) -> None:
    """One payout, and two words about it in the wrong order, each twice."""
    payout = sent(stage)
    stage.bank.settle(reference(payout, 1), "reversed")
    says(stage, payout, "reversed", "processed", "reversed", "processed")


def two_and_two(stage: Stage) -> None:
    """Two payouts, told of crosswise: whoever takes two events meets the other over both payouts."""
    first, second = parts.payouts(stage, 2)
    driving.drive(stage.worker, process(stage.bank))
    for payout, word in (
        (first, "processed"),
        (second, "processed"),
        (second, "reversed"),
        (first, "reversed"),
    ):
        stage.bank.settle(reference(payout, 1), "reversed")
        says(stage, payout, word)


def failed_and_paid(stage: Stage) -> list[UUID]:
    """One payout that failed, and the news that it was paid after all."""
    payout = sent(stage)
    stage.bank.settle(reference(payout, 1), "failed")
    hurry(stage.worker)
    driving.drive(stage.worker, follow(stage.bank))
    stage.bank.settle(reference(payout, 1), "processed")
    says(stage, payout, "processed")
    return [payout]


def completed(stage: Stage, _sides: Sequence[Side]) -> None:
    """Whoever heard it, it is completed once, and watched for a reversal."""
    _all_applied(stage)
    assert states(stage) == {"COMPLETED": 1}
    assert waits_for(stage) == ["payouts.follow"]


def reversed_(stage: Stage, _sides: Sequence[Side]) -> None:
    """Whoever was first, what was given back is reversed once its provider is asked, with each entry once."""
    _all_applied(stage)
    assert waits_for(stage) == ["payouts.follow"] * sum(states(stage).values())
    driving.drive(stage.worker, follow(stage.bank))
    count = sum(states(stage).values())
    assert states(stage) == {"REVERSED": count}
    assert waits_for(stage) == []
    booked = [r.type for r in rows(stage.worker, "SELECT type FROM entries ORDER BY type")]
    assert [booked.count(f"payout.{what}") for what in ("completed", "failed", "reversed")] == [
        count,
        0,
        count,
    ]


def paid_or_retried(stage: Stage, sides: Sequence[Side]) -> None:
    """Completed late, and the operator is told that it is; or retried, and kept back: never paid twice."""
    [moved] = sides[1].result
    if moved.outcome == "moved":
        assert states(stage) == {"APPROVED": 1}
        [work] = rows(stage.worker, "SELECT job, parked_reason FROM work")
        assert (work.job, "generation 1" in work.parked_reason) == ("payouts.process", True)
    else:
        assert states(stage) == {"COMPLETED": 1}
        assert waits_for(stage) == ["payouts.follow"]


def _all_applied(stage: Stage) -> None:
    """What came while another held its payout is left to the next run; here nobody waits that long."""
    hurry(stage.worker, "webhooks.apply")
    applies(99)(stage)
    assert {r.state for r in rows(stage.worker, "SELECT state FROM inbox")} == {"APPLIED"}


ALL: Final = (
    Race(
        name="process/webhook",
        prepare=called,
        sides=(parts.settles(process, 1), applies(2)),
        check=completed,
    ),
    Race(
        name="follow/webhook", prepare=paid, sides=(works(follow, 1), applies(2)), check=completed
    ),
    Race(
        name="recover/webhook",
        prepare=lost_and_paid,
        sides=(works(recover, 1), applies(2)),
        check=completed,
    ),
    Race(
        name="webhook/webhook",
        prepare=paid_and_given_back,
        sides=(applies(1, limit=2), applies(2, limit=2)),
        check=reversed_,
    ),
    Race(
        name="webhook/webhook-crosswise",
        prepare=two_and_two,
        sides=(applies(1, limit=2), applies(2, limit=2)),
        check=reversed_,
    ),
    Race(
        name="webhook/retry",
        prepare=failed_and_paid,
        sides=(applies(2), decides(Decision.RETRY, "asha")),
        check=paid_or_retried,
    ),
)
