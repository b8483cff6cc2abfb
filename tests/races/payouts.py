"""Races about payouts: who sends, who asks, who decides, who hears."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from db import installation, proposals, work
from db.payouts import resolve
from db.payouts.imports import Imported, Lines, take_over
from domain.answers import NotSent, Unknown
from domain.decisions import Decision
from domain.errors import BusyError, RefusedError
from jobs.shapes import Answer
from tests import driving
from tests.builders import change, expire, hurry, lines, rows
from tests.operating import query
from tests.races import parts
from tests.races.explorer import Act, Race
from tests.races.parts import decides, process, recover, works
from tests.races.sides import Side
from tests.races.stage import Stage
from workers.sandbox.faults import Fault


def states(stage: Stage) -> Counter[str]:
    """Payouts by state."""
    return Counter(r.state for r in rows(stage.worker, "SELECT state FROM payouts"))


def waits_for(stage: Stage) -> list[str]:
    """The jobs of the work rows that are left, none of them leased."""
    left = rows(stage.worker, "SELECT job, token FROM work ORDER BY job")
    assert all(row.token is None for row in left), "a lease is left"
    return [row.job for row in left]


def asleep(stage: Stage) -> list[Any]:
    """One payout, claimed by a worker whose lease lapsed before it called; its items."""
    parts.payouts(stage, 1)
    items = parts.claim(stage, process, run=1)
    expire(stage.worker)
    return items


def answered(stage: Stage) -> list[Any]:
    """One payout, claimed and sent by a worker whose lease lapsed before it settled; its answers."""
    return parts.act(stage, process, asleep(stage))


def in_doubt(stage: Stage) -> list[UUID]:
    """One payout the bank has made and whose answer was lost; its look-up is due."""
    made = parts.payouts(stage, 1)
    stage.bank.script(Fault.DROP)
    driving.drive(stage.worker, process(stage.bank))
    hurry(stage.worker)
    return made


def never_heard_of(stage: Stage) -> list[UUID]:
    """One payout the bank has not made, though nobody can know; its look-up is due."""
    made = parts.payouts(stage, 1)
    stage.bank.script(Unknown(reason="lost"))
    driving.drive(stage.worker, process(stage.bank))
    hurry(stage.worker)
    return made


def late(stage: Stage) -> list[Any]:
    """One payout in doubt, and the answers of the worker that sent it first and was given up."""
    answers = answered(stage)
    stage.bank.script(Fault.DROP)
    driving.drive(stage.worker, process(stage.bank))
    hurry(stage.worker)
    return answers


def unsent(stage: Stage) -> list[Any]:
    """One payout whose worker found no route to the bank, and whose lease lapsed before it settled."""
    return [Answer(item, NotSent(reason="no route")) for item in asleep(stage)]


def refused(stage: Stage) -> list[UUID]:
    """One payout that the bank refused."""
    made = parts.payouts(stage, 1)
    stage.bank.script(Fault.REFUSE)
    driving.drive(stage.worker, process(stage.bank))
    return made


def each_sent_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Nobody died, so nobody had to send again."""
    count = sum(states(stage).values())
    assert (states(stage), len(stage.bank.submits)) == ({"PROCESSING": count}, count)
    assert waits_for(stage) == ["payouts.follow"] * count
    assert sum((s.result or {}).get("succeeded", 0) for s in sides if s.letter < "C") == count


def one_paid(stage: Stage, _sides: Sequence[Side]) -> None:
    """However often it was sent, it was paid once, under one key, and is followed."""
    assert states(stage) == {"PROCESSING": 1}
    assert waits_for(stage) == ["payouts.follow"]
    assert len(stage.bank.transfers) == 1
    assert len({one.key for one in stage.bank.submits}) == 1


def put_back_or_paid(stage: Stage, sides: Sequence[Side]) -> None:
    """Put back by the one that could not send, or paid by the other that could."""
    is_back = bool((sides[0].result or {}).get("put_back"))
    assert states(stage) == ({"APPROVED": 1} if is_back else {"PROCESSING": 1})
    assert waits_for(stage) == ["payouts.process" if is_back else "payouts.follow"]
    assert len(stage.bank.transfers) == (not is_back)


def one_settled(stage: Stage, sides: Sequence[Side]) -> None:
    """The answer of one holder moved the payout; the other's, if any, is evidence or was not needed."""
    one_paid(stage, sides)
    assert sum((side.result or {}).get("succeeded", 0) for side in sides) == 1


def cancelled_or_sent(stage: Stage, sides: Sequence[Side]) -> None:
    """Cancelled and never sent, or sent and the operator is told so."""
    [moved] = sides[-1].result
    is_cancelled = moved.outcome == "moved"
    assert states(stage) == ({"CANCELLED": 1} if is_cancelled else {"PROCESSING": 1})
    assert len(stage.bank.submits) == (not is_cancelled)
    assert waits_for(stage) == ([] if is_cancelled else ["payouts.follow"])


def decided_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Each payout was moved by one of the two, and the other was told."""
    told = Counter(m.outcome for side in sides for m in side.result)
    assert told == {"moved": len(stage.given), "illegal": len(stage.given)}
    moves = rows(stage.worker, "SELECT subject FROM moves WHERE reason = 'because'")
    assert len({m.subject for m in moves}) == len(moves) == len(stage.given)


def imports(stage: Stage) -> Imported:
    """An operator imports a file of three lines, approved."""
    with stage.operator.begin(60) as tx:
        order = Lines(lines=lines(3, payees=2), file="week.csv", approve=True)
        return take_over(tx, installation.get(tx).id, order, actor="asha")


def imported_once(stage: Stage, sides: Sequence[Side]) -> None:
    assert states(stage) == {"APPROVED": 3}
    assert sum(s.result.created for s in sides if isinstance(s.result, Imported)) == 3 - len(
        stage.given or ()
    )
    assert waits_for(stage) == ["payouts.process"] * 3


def renews_and_settles(stage: Stage) -> dict[str, int]:
    """A worker that was paused: its renewal comes first, then its settle."""
    held = [answer.item.held for answer in stage.given]
    with stage.worker.begin() as tx:
        work.renew(tx, held, [], 15.0)
    return parts.settle(stage, process, stage.given, run=1)


def sql_moves(state: str, who: str, *, backwards: bool = False) -> Act:
    """Another application moves a set through the SQL door, in one statement."""

    def act(stage: Stage) -> list[Any]:
        ids = sorted(stage.given, reverse=backwards)
        return query(
            stage.operator,
            "SELECT * FROM bursar_move('payout', CAST(:ids AS uuid[]), :state, :who, 'because')",
            ids=ids,
            state=state,
            who=who,
        )

    return act


def resolves(stage: Stage) -> str:
    """An operator asks the bank about a payout in doubt, and settles by what it says."""
    [payout] = stage.given
    with stage.operator.begin() as tx:
        doubt = resolve.doubt(tx, payout)
    found = stage.bank.find(doubt.reference)
    with stage.operator.begin() as tx:
        return resolve.adopt(tx, payout, found.payouts[0], actor="asha")  # type: ignore[union-attr]  # it is there


def declares(who: str) -> Act:
    """A second person approves that a payout in doubt was never paid, which is carried out with it."""

    def act(stage: Stage) -> str:
        [payout] = stage.given
        with stage.operator.begin() as tx:
            row = proposals.approve(tx, 1, by=who)
            word = resolve.Word(by=who, why=row.why, known_at=row.proposed_at)
            state = resolve.declare(tx, payout, word, provider_id=None)
            proposals.finish(tx, 1, state)
            return state

    return act


def proposed(stage: Stage) -> list[UUID]:
    """One payout the bank has not made, proposed to be declared unpaid."""
    made = never_heard_of(stage)
    with stage.operator.begin() as tx:
        proposals.propose(tx, "payout.resolve", str(made[0]), {}, by="asha", why="called the bank")
    return made


def proposed_and_lost(stage: Stage) -> list[UUID]:
    """The same, and the answer to the next send is lost though the bank pays."""
    made = proposed(stage)
    stage.bank.script(Fault.DROP)
    return made


def declared_once(stage: Stage, sides: Sequence[Side]) -> None:
    assert states(stage) == {"FAILED": 1}
    assert sorted(side.error is None for side in sides) == [False, True]
    assert waits_for(stage) == []


def declared_or_sent(stage: Stage, sides: Sequence[Side]) -> None:
    """Declared unpaid and never sent again; or sent again, and the second person is told to wait."""
    is_declared = sides[1].error is None
    assert states(stage) == ({"FAILED": 1} if is_declared else {"PROCESSING": 1})
    assert len(stage.bank.transfers) == (not is_declared)


def retried_once(stage: Stage, sides: Sequence[Side]) -> None:
    decided_once(stage, sides)
    [row] = rows(stage.worker, "SELECT generation, state FROM payouts")
    assert (row.generation, row.state) == (2, "APPROVED")


def worn(stage: Stage) -> list[Any]:
    """One payout whose workers died three times: `payouts.process` hands it over."""
    items = answered(stage)
    change(stage.worker, "UPDATE work SET claims = 3")
    return items


def pending(count: int) -> Any:  # noqa: ANN401 - a `prepare`
    """Payouts nobody has decided about."""
    return lambda stage: parts.payouts(stage, count, approve=False, payees=2)


def approved(count: int) -> Any:  # noqa: ANN401 - a `prepare`
    """Approved payouts of one payee, due."""
    return lambda stage: parts.payouts(stage, count)


_TWO: Final = (works(process, 1, limit=1), works(process, 2, limit=1))
_APPROVE: Final = (
    decides(Decision.APPROVE, "asha"),
    decides(Decision.APPROVE, "ben", backwards=True),
)
_RETRY: Final = (decides(Decision.RETRY, "asha"), decides(Decision.RETRY, "ben"))
_CANCEL: Final = decides(Decision.CANCEL, "asha")

ALL: Final = (
    Race(name="worker/worker", prepare=approved(2), sides=_TWO, check=each_sent_once),
    Race(
        name="worker/worker/cancel",
        prepare=approved(1),
        sides=(*_TWO, _CANCEL),
        check=cancelled_or_sent,
    ),
    Race(
        name="sleeper-settles/worker",
        prepare=answered,
        sides=(parts.settles(process, 1), works(process, 2)),
        check=one_settled,
    ),
    Race(
        name="sleeper-sends/worker",
        prepare=asleep,
        sides=(parts.wakes_up(process, 1), works(process, 2)),
        check=one_settled,
    ),
    Race(
        name="sleeper-puts-back/worker",
        prepare=unsent,
        sides=(parts.settles(process, 1), works(process, 2)),
        check=put_back_or_paid,
    ),
    Race(
        name="process/recover",
        prepare=worn,
        sides=(works(process, 2), works(recover, 3)),
    ),
    Race(
        name="process/cancel",
        prepare=approved(1),
        sides=(_TWO[0], _CANCEL),
        check=cancelled_or_sent,
    ),
    Race(
        name="recover/late-process",
        prepare=late,
        sides=(works(recover, 3), parts.settles(process, 1)),
        check=one_paid,
    ),
    Race(
        name="claim/takeover",
        prepare=answered,
        sides=(renews_and_settles, works(process, 2)),
        check=one_settled,
    ),
    Race(
        name="resolve/recover",
        prepare=in_doubt,
        sides=(works(recover, 1), resolves),
        errors=(BusyError, RefusedError),
    ),
    Race(
        name="declare/recover",
        prepare=proposed,
        sides=(works(recover, 1), declares("ben")),
        errors=(BusyError, RefusedError),
        check=declared_or_sent,
    ),
    Race(
        name="declare/recover-in-vain",
        prepare=proposed_and_lost,
        sides=(works(recover, 1), declares("ben")),
        errors=(BusyError, RefusedError),
        check=declared_or_sent,
    ),
    Race(
        name="approve-proposal/approve-proposal",
        prepare=proposed,
        sides=(declares("ben"), declares("chitra")),
        errors=(RefusedError,),
        check=declared_once,
    ),
    Race(name="approve/approve", prepare=pending(2), sides=_APPROVE, check=decided_once),
    Race(
        name="approve/reject",
        prepare=pending(2),
        sides=(_APPROVE[0], decides(Decision.REJECT, "ben", backwards=True)),
        check=decided_once,
    ),
    Race(name="retry/retry", prepare=refused, sides=_RETRY, check=retried_once),
    Race(name="import/import", sides=(imports, imports), check=imported_once),
    Race(
        name="import/approve",
        prepare=pending(3),
        sides=(imports, _APPROVE[1]),
        check=imported_once,
    ),
    Race(
        name="bursar_move/bursar_move",
        prepare=pending(2),
        sides=(sql_moves("APPROVED", "asha"), sql_moves("CANCELLED", "ben", backwards=True)),
    ),
)
