"""Earnings as an import makes them: payable once their hold is over, owed in the books at once."""

from collections.abc import Sequence
from typing import ClassVar, Final

import sqlalchemy as sa

from db.arrays import literal
from db.importing.comparing import Stored
from db.importing.sets import Import, taken_over
from db.tx import Row
from domain.earning_lines import FIELDS, EarningLine
from domain.earnings import EarningKind
from domain.ledger import EntryType

_STATEMENT: Final = sa.text(f"""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:payees AS uuid[]), CAST(:payables AS bigint[]),
        CAST(:kinds AS text[]), CAST(:grosses AS bigint[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[]),
        CAST(:earned AS timestamptz[]), CAST(:ready AS timestamptz[]), CAST(:hashes AS text[]), CAST(:places AS int[]))
        AS g (id, external_id, payee, payable, kind, gross, amount, currency, earned_at, ready_at, content_hash, place)),
    -- An earning that is there already, committed or by a twin a moment ago, is left as it is.
    inserted AS (
      INSERT INTO earnings (id, external_id, payee, kind, gross, amount, currency, earned_at, ready_at, content_hash, created_at)
      SELECT id, external_id, payee, kind, gross, amount, currency, earned_at, ready_at, decode(content_hash, 'hex'),
             -- A microsecond apart, so that a listing by age has the order of the file.
             transaction_timestamp() + place * interval '1 microsecond'
      FROM given
      ON CONFLICT (external_id) DO NOTHING
      RETURNING id),
    made AS (SELECT g.id, g.payable, g.amount, g.currency FROM inserted i JOIN given g ON g.id = i.id),
    {taken_over("concat_ws(':', 'earning', id, 'imported')")}""")

_CONTENT: Final = sa.text("""
    SELECT e.id, e.external_id, y.name AS payee, e.kind, e.gross, e.amount, e.currency, e.earned_at
    FROM earnings e JOIN payees y ON y.id = e.payee WHERE e.id = ANY(CAST(:ids AS uuid[]))""")


def line(row: Row) -> EarningLine:
    """What an earning was imported by, as its line."""
    return EarningLine(
        external_id=row.external_id,
        payee=row.payee,
        kind=EarningKind(row.kind),
        gross_minor=row.gross,
        amount_minor=row.amount,
        currency=row.currency,
        earned_at=row.earned_at,
    )


class EarningImport(Import[EarningLine]):
    """One import of earnings under way."""

    kind: ClassVar = "earning"
    entry: ClassVar = EntryType.EARNING_IMPORTED
    statement: ClassVar = _STATEMENT
    stored = Stored(table="earnings", fields=FIELDS, content=_CONTENT, line_of=line)

    def columns(self, ids: Sequence[str], lines: Sequence[EarningLine]) -> dict[str, object]:
        """What was earned with what, when, and until when it is held."""
        return earned(lines)


def earned(lines: Sequence[EarningLine]) -> dict[str, object]:
    """The columns of what was earned, as array literals."""
    return {
        "kinds": literal([line.kind.value for line in lines]),
        "grosses": literal([line.gross_minor for line in lines]),
        "earned": literal([line.earned_at for line in lines]),
        "ready": literal([line.ready_at for line in lines]),
    }
