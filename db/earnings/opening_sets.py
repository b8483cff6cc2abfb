"""Earnings as another system left them: owed where they are not on their way, linked to the payouts that were taken over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from json import dumps
from typing import ClassVar, Final
from uuid import UUID

import sqlalchemy as sa

from db.arrays import literal
from db.earnings import import_sets
from db.importing.comparing import Stored
from db.importing.order import Lines
from db.importing.sets import Import, entered
from db.tx import Row, Tx
from domain.earnings import EarningState
from domain.ledger import AccountKind, EntryType
from domain.opening_earnings import FIELDS, OLD, OpeningEarning
from domain.payouts import PayoutState


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A payout that was taken over: where it was there, where it is now, what it is of."""

    id: UUID
    there: PayoutState
    now: PayoutState
    payee: str
    currency: str
    amount: int
    is_earned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningLines(Lines[OpeningEarning]):
    """Earnings of another system, and up to when its word holds."""

    as_of: datetime


_STATEMENT: Final = sa.text(f"""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:payees AS uuid[]), CAST(:payables AS bigint[]),
        CAST(:kinds AS text[]), CAST(:grosses AS bigint[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[]),
        CAST(:earned AS timestamptz[]), CAST(:ready AS timestamptz[]), CAST(:hashes AS text[]), CAST(:places AS int[]),
        CAST(:told AS text[]), CAST(:states AS text[]), CAST(:refunded AS bigint[]), CAST(:payouts AS uuid[]),
        CAST(:opened AS bigint[]), CAST(:records AS text[]))
        AS g (id, external_id, payee, payable, kind, gross, amount, currency, earned_at, ready_at, content_hash, place,
              told, state, refunded, payout, opened, record)),
    -- An earning that is there already, committed or by a twin a moment ago, is left as it is.
    inserted AS (
      INSERT INTO earnings (id, external_id, payee, kind, gross, amount, refunded, currency, state, held, earned_at, ready_at,
                            content_hash, created_at)
      SELECT id, external_id, payee, kind, gross, amount, refunded, currency, state, told = 'HELD', earned_at, ready_at,
             decode(content_hash, 'hex'), transaction_timestamp() + place * interval '1 microsecond'
      FROM given
      ON CONFLICT (external_id) DO NOTHING
      RETURNING id),
    born AS MATERIALIZED (SELECT g.* FROM inserted i JOIN given g ON g.id = i.id),
    remembered AS (
      INSERT INTO earning_takeovers (earning, state, as_of, record, taken_over_by)
      SELECT id, told, :as_of, CAST(record AS json), :actor FROM born),
    linked AS (
      INSERT INTO payout_earnings (payout, earning, live)
      SELECT payout, id, state IN ('BATCHED', 'PAID') FROM born WHERE payout IS NOT NULL),
    history AS (
      INSERT INTO moves (kind, subject, source, target, actor, reason)
      SELECT 'earning', id, 'READY', state, :actor, concat('taken over as ', told, ', as it was before ', CAST(:until AS text))
      FROM born),
    made AS (SELECT id, payable, opened AS amount, currency FROM born WHERE opened > 0),
    {entered("concat_ws(':', 'earning', id, 'opened')")}
    SELECT b.told AS label, n.payable, n.liability, b.currency, sum(b.amount) AS amount, count(*) AS rows,
           coalesce(sum(n.amount), 0) AS posted, count(n.entry) AS entries, array_agg(b.id) AS ids
    FROM born b LEFT JOIN numbered n ON n.id = b.id GROUP BY b.told, n.payable, n.liability, b.currency""")

_CONTENT: Final = sa.text("""
    SELECT e.id, e.external_id, y.name AS payee, e.kind, e.gross, e.amount, e.currency, e.earned_at, t.record
    FROM earnings e JOIN payees y ON y.id = e.payee LEFT JOIN earning_takeovers t ON t.earning = e.id
    WHERE e.id = ANY(CAST(:ids AS uuid[]))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept(OpeningEarning):
    """What stands under an external id, as a file said it; what another import said was in no state."""

    said: tuple[str, ...]

    @property
    def record(self) -> tuple[str, ...]:
        return self.said


def _line(row: Row) -> OpeningEarning:
    earning = import_sets.line(row)
    said = row.record or (*earning.record, *[""] * len(OLD))
    return _Kept(
        earning=earning,
        state=EarningState.READY,
        refunded_minor=0,
        payout=None,
        said=tuple(said),
    )


_TAKEN: Final = sa.text("""
    -- Held to the end, in the order of their ids: where an earning is depends on where its payout is.
    SELECT p.id, p.external_id, t.state AS there, p.state, y.name AS payee, p.currency, p.amount, p.source = 'earnings' AS is_earned
    FROM payouts p JOIN takeovers t ON t.payout = p.id JOIN payees y ON y.id = p.payee
    WHERE p.external_id = ANY(CAST(:external_ids AS text[])) ORDER BY p.id FOR NO KEY UPDATE OF p""")


def taken(tx: Tx, lines: Sequence[OpeningEarning]) -> dict[str, Taken]:
    """The payouts that lines name, by external id, held until this transaction ends; what nobody took over is absent."""
    names = sorted({line.payout for line in lines if line.payout is not None})
    rows = tx.rows(_TAKEN, external_ids=names) if names else ()
    return {
        row.external_id: Taken(
            id=row.id,
            there=PayoutState(row.there),
            now=PayoutState(row.state),
            payee=row.payee,
            currency=row.currency,
            amount=row.amount,
            is_earned=row.is_earned,
        )
        for row in rows
    }


class EarningOpening(Import[OpeningEarning]):
    """One take-over of earnings under way."""

    kind: ClassVar = "earning"
    entry: ClassVar = EntryType.EARNING_OPENED
    against: ClassVar = AccountKind.OPENING_BALANCES
    statement: ClassVar = _STATEMENT
    stored = Stored(table="earnings", fields=FIELDS, content=_CONTENT, line_of=_line)

    def __init__(
        self,
        tx: Tx,
        installation: UUID,
        order: EarningLines,
        actor: str,
        payouts: Mapping[str, Taken],
    ) -> None:
        super().__init__(tx, installation, order, actor)
        self.as_of, self.payouts = order.as_of, payouts

    def columns(self, ids: Sequence[str], lines: Sequence[OpeningEarning]) -> dict[str, object]:
        """What was earned, where it is, and what of it is owed."""
        of = [self.payouts[line.payout] if line.payout else None for line in lines]
        there = [one.there if one else None for one in of]
        now = [one.now if one else None for one in of]
        stands = [line.stands(was, is_) for line, was, is_ in zip(lines, there, now, strict=True)]
        return {
            "as_of": self.as_of,
            "until": f"{self.as_of:%Y-%m-%dT%H:%M:%SZ}",
            **import_sets.earned([line.earning for line in lines]),
            "told": literal([line.state for line in lines]),
            "states": literal(stands),
            "refunded": literal([line.refunded_minor for line in lines]),
            "payouts": literal([one.id if one else None for one in of]),
            "opened": literal([line.opens(was) for line, was in zip(lines, there, strict=True)]),
            "records": literal([dumps(line.record) for line in lines]),
        }
