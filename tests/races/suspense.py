"""Races about suspense: of what is open of an item nothing leaves twice, and what is matched is received once."""

from collections.abc import Sequence
from typing import Final

from db.obligations.reverse import reverse
from db.suspense.resolve import Resolution, resolve
from domain.errors import RefusedError
from domain.suspense import Way
from jobs.cash.reconcile import ReconcileCash
from tests.builders import owner, rows
from tests.mortgages import LINE, balances, bring, id_of, owe, receipt, stray, take
from tests.races.explorer import Act, Race
from tests.races.sides import Side
from tests.races.stage import Stage
from tests.races.sweeps import looks, open_findings


def routed(stage: Stage) -> object:
    """An item of 300.00, and an obligation of 1000.00."""
    owe(stage.operator, LINE)
    bring(stage.operator, stray())
    [row] = rows(stage.operator, "SELECT id FROM receipts")
    return row.id


def owed_little(stage: Stage) -> object:
    """An item of 1000.00, and a receipt of 1000.00, both for the same obligation."""
    [id_] = owe(stage.operator, LINE)
    bring(stage.operator, stray(amount_minor=100_000))
    [row] = rows(stage.operator, "SELECT id FROM receipts")
    with owner(stage.url) as database:
        return row.id, receipt(database, id_, 100_000)


def leaves(way: Way, amount: int) -> Act:
    """So much leaves the item."""

    def act(stage: Stage) -> int:
        obligation = id_of(stage.operator, "O-1") if way is Way.MATCH else None
        item = stage.given[0] if isinstance(stage.given, tuple) else stage.given
        asked = Resolution(item=item, way=way, amount=amount, obligation=obligation)
        done = stage.operator.transact(
            lambda tx: resolve(tx, asked, actor="asha, ravi", why="letter 7")
        )
        return done.amount

    return act


def comes_in(stage: Stage) -> int:
    """The receipt is taken in."""
    return take(stage.operator, [stage.given[1]])[0].applied


def is_none(stage: Stage) -> str:
    """The receipt of the item was none."""
    stage.operator.transact(
        lambda tx: reverse(tx, [stage.given], actor="asha, ravi", why="it bounced")
    )
    return "reversed"


def matched_or_none(stage: Stage, sides: Sequence[Side]) -> None:
    """What was matched before is taken back with all of it; afterwards nothing of it is open."""
    assert sides[1].result == "reversed"
    assert sides[0].result == 20_000 or "0 are open" in str(sides[0].error)
    assert balances(stage.worker) == {"borrower_receivable": 100_000, "control_accrual": 100_000}
    assert open_findings(stage) == []


def left_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 67: one leaves, the other is told what is open; suspense fell by the one."""
    refused = [side for side in sides if side.error is not None]
    assert len(refused) == 1
    assert "10000 are open" in str(refused[0].error)
    assert balances(stage.worker)["suspense"] == 10_000


def both_left(stage: Stage, sides: Sequence[Side]) -> None:
    """Each has its own entry, and nothing is left."""
    assert [side.result for side in sides] == [20_000, 10_000]
    assert "suspense" not in balances(stage.worker)
    keys = rows(stage.worker, "SELECT key FROM entries WHERE type = 'SUSPENSE_RESOLVED'")
    assert {row.key.rpartition(":")[2] for row in keys} == {"1", "2"}


def received_once(stage: Stage, sides: Sequence[Side]) -> None:
    """The first pays the obligation, the other is unapplied cash of its mortgage."""
    assert [side.error for side in sides] == [None, None]
    held = balances(stage.worker)
    assert (held["trust_cash"], held["unapplied_cash"]) == (200_000, 100_000)
    assert held["control_allocation"] == 100_000
    assert "suspense" not in held


def told_for_now(stage: Stage, sides: Sequence[Side]) -> None:
    """What was seen just before it left may be told still; the next look sees that it is gone."""
    assert sides[1].result == 30_000
    assert balances(stage.worker) == {"borrower_receivable": 100_000, "control_accrual": 100_000}
    looks(ReconcileCash)(stage)
    assert open_findings(stage) == []


ALL: Final = (
    Race(
        name="cash.reconcile/resolve an item",
        prepare=routed,
        sides=(looks(ReconcileCash), leaves(Way.REFUND, 30_000)),
        check=told_for_now,
    ),
    Race(
        name="resolve an item/resolve an item",
        prepare=routed,
        sides=(leaves(Way.MATCH, 20_000), leaves(Way.REFUND, 20_000)),
        check=left_once,
        errors=(RefusedError,),
    ),
    Race(
        name="resolve a part/resolve a part",
        prepare=routed,
        sides=(leaves(Way.MATCH, 20_000), leaves(Way.WRITE_OFF, 10_000)),
        check=both_left,
    ),
    Race(
        name="resolve an item/reverse its receipt",
        prepare=routed,
        sides=(leaves(Way.MATCH, 20_000), is_none),
        check=matched_or_none,
        errors=(RefusedError,),
    ),
    Race(
        name="resolve an item/receive",
        prepare=owed_little,
        sides=(leaves(Way.MATCH, 100_000), comes_in),
        check=received_once,
    ),
)
