"""Take over lines of a statement: each once, whichever files or reads it comes in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from db.statements.account import Account, alone
from db.tx import Row, Tx
from domain.errors import BadInputError, BadInputsError
from domain.payouts import SUBMIT
from domain.statements import StatementLine

SET_MAX: Final = 5_000
"""Lines in one statement."""
ERRORS_MAX: Final = 50

Place = Callable[[int], str]
"""Where the line at an index was read: file and row, as an error names it."""
Told = Callable[[int], None]
"""Told how many more lines were taken over."""


@dataclass(slots=True, kw_only=True)
class Taken:
    """What became of the lines of one statement."""

    new: int = 0
    existing: int = 0
    errors: list[BadInputError] = field(default_factory=list)
    more: int = 0


_INSERT: Final = sa.text("""
    INSERT INTO statement_lines (provider, account, line_id, occurred_at, side, amount, fee, currency, balance, utr, source,
                                 source_id, payout, matched_by)
    SELECT :provider, :account, g.line_id, g.occurred_at, g.side, g.amount, g.fee, g.currency, g.balance, g.utr, g.source,
           g.source_id, e.subject, CASE WHEN e.subject IS NOT NULL THEN 'provider_id' END
    FROM unnest(CAST(:line_ids AS text[]), CAST(:times AS timestamptz[]), CAST(:sides AS text[]), CAST(:amounts AS bigint[]),
                CAST(:fees AS bigint[]), CAST(:currencies AS text[]), CAST(:balances AS bigint[]), CAST(:utrs AS text[]),
                CAST(:sources AS text[]), CAST(:source_ids AS text[])) WITH ORDINALITY
      AS g (line_id, occurred_at, side, amount, fee, currency, balance, utr, source, source_id, place)
    -- What has sent a payment of this name is known at once; a line that comes before our settle is named later.
    LEFT JOIN effect_payments n ON n.provider_id = g.source_id AND n.provider = :provider AND n.account = :account
    LEFT JOIN effects e ON e.key = n.key AND e.kind = :kind
    ORDER BY g.place
    ON CONFLICT DO NOTHING""")

_EXISTING: Final = sa.text("""
    SELECT l.line_id, l.occurred_at, l.side, l.amount AS amount_minor, l.fee AS fee_minor, l.currency, l.balance AS balance_minor,
           l.utr, l.source, l.source_id
    FROM statement_lines l
    WHERE l.provider = :provider AND l.account = :account AND l.line_id = ANY(CAST(:line_ids AS text[]))""")

_UTRS: Final = sa.text("""
    UPDATE statement_lines l SET utr = g.utr,
           -- What was taken for money put in may name a payment of ours by now.
           state = CASE l.state WHEN 'deposit' THEN 'waiting' ELSE l.state END
    FROM unnest(CAST(:line_ids AS text[]), CAST(:utrs AS text[])) AS g (line_id, utr)
    WHERE l.provider = :provider AND l.account = :account AND l.line_id = g.line_id AND l.utr IS NULL""")

_COMPARED: Final = {
    "occurred_at": "occurred_at",
    "side": "side",
    "amount_minor": "amount",
    "fee_minor": "fee",
    "currency": "currency",
    "balance_minor": "balance",
    "utr": "utr",
    "source": "source",
    "source_id": "source_id",
}
"""What must be the same whenever a line is seen again, and the field of a file that holds it."""
_MAY_BE_UNTOLD: Final = frozenset({"utr", "balance_minor"})


def take_over(
    tx: Tx,
    whose: Account,
    lines: Sequence[StatementLine],
    place: Place,
    told: Told = lambda _: None,
) -> Taken:
    """Write down the lines that are not known yet, in their order.

    Raises `BadInputsError` naming place, field, value and rule of lines that are known with other
    content; nothing is to be committed then.
    """
    alone(tx)
    done = Taken()
    for start in range(0, len(lines), SET_MAX):
        part = lines[start : start + SET_MAX]
        new = tx.run(_INSERT, kind=SUBMIT, **_named(whose), **_columns(part))
        done.new += new
        if new < len(part):
            done.existing += len(part) - new
            _meet(tx, whose, part, lambda at, start=start: place(start + at), done)  # type: ignore[misc]  # bound now
        told(len(part))
    if done.errors:
        raise BadInputsError(done.errors, more=done.more)
    return done


def _meet(tx: Tx, whose: Account, part: Sequence[StatementLine], place: Place, done: Taken) -> None:
    """Hold lines that were there against what is said of them now; a UTR may have become known."""
    known = {
        row.line_id: row
        for row in tx.rows(_EXISTING, line_ids=[line.line_id for line in part], **_named(whose))
    }
    learnt = [line for line in part if line.utr and known[line.line_id].utr is None]
    for at, line in enumerate(part):
        for name, value, rule in _differences(line, known[line.line_id]):
            if len(done.errors) < ERRORS_MAX:
                done.errors.append(BadInputError(f"{place(at)} field {name}", value, rule))
            else:
                done.more += 1
    if learnt:
        ids, utrs = [line.line_id for line in learnt], [line.utr for line in learnt]
        tx.run(_UTRS, line_ids=ids, utrs=utrs, **_named(whose))


def _differences(line: StatementLine, known: Row) -> list[tuple[str, object, str]]:
    return [
        (_COMPARED[name], str(now), f"line {line.line_id} was read before with {str(then)!r} here")
        for name in _COMPARED
        if (now := getattr(line, name)) != (then := getattr(known, name))
        # What one way of reading tells and another does not is no other content.
        if name not in _MAY_BE_UNTOLD or (now is not None and then is not None)
    ]


def _named(whose: Account) -> dict[str, str]:
    return {"provider": whose.provider, "account": whose.account}


def _columns(part: Sequence[StatementLine]) -> dict[str, object]:
    return {
        "line_ids": [line.line_id for line in part],
        "times": [line.occurred_at for line in part],
        "sides": [line.side.value for line in part],
        "amounts": [line.amount_minor for line in part],
        "fees": [line.fee_minor for line in part],
        "currencies": [line.currency for line in part],
        "balances": [line.balance_minor for line in part],
        "utrs": [line.utr for line in part],
        "sources": [line.source.value for line in part],
        "source_ids": [line.source_id for line in part],
    }
