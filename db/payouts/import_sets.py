"""Payouts as an import makes them: each with its work and its history where it is approved at once."""

from collections.abc import Collection, Sequence
from typing import ClassVar, Final
from uuid import UUID

import sqlalchemy as sa

from db.arrays import literal
from db.importing.comparing import Found, Stored
from db.importing.sets import Import, taken_over
from db.payees.opening import open_destinations, organisations
from db.payouts.decide import decide
from db.tx import Row
from domain.decisions import Decision
from domain.effects import effect_key_digits
from domain.ledger import EntryType
from domain.payees import PayeeKind
from domain.payout_lines import PayoutLine
from domain.payout_modes import Mode
from domain.payout_rules import FIELDS
from domain.payouts import SUBMIT


def sealed(generation: str) -> str:
    """The seal of a row `g` that is about to be a payout: of what a seal covers, and no more."""
    return f"""payout_seal(
               CAST(ROW(g.id, g.external_id, g.payee, g.account, g.payable, g.amount, g.currency, g.mode, g.purpose,
                        g.narration, NULL, 'APPROVED', 1, g.key, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS payouts), {generation}, g.key)"""


_STATEMENT: Final = sa.text(f"""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:payees AS uuid[]), CAST(:accounts AS uuid[]),
        CAST(:payables AS bigint[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[]), CAST(:modes AS text[]),
        CAST(:purposes AS text[]), CAST(:narrations AS text[]), CAST(:hashes AS text[]), CAST(:keys AS uuid[]),
        CAST(:kinds AS text[]), CAST(:places AS int[]))
        AS g (id, external_id, payee, account, payable, amount, currency, mode, purpose, narration, content_hash, key, payee_kind,
              place)),
    -- A payout that is there already, committed or by a twin a moment ago, is left as it is.
    made AS (
      INSERT INTO payouts (id, external_id, payee, account, payable, amount, currency, mode, purpose, narration,
                           content_hash, state, effect_key, approval_seal, approved_by, approved_at, created_by, created_at, payee_kind)
      SELECT g.id, g.external_id, g.payee, g.account, g.payable, g.amount, g.currency, g.mode, g.purpose, g.narration,
             decode(g.content_hash, 'hex'), CASE WHEN :approve THEN 'APPROVED' ELSE 'PENDING' END, a.key,
             CASE WHEN :approve THEN {sealed("1")} END,
             -- A microsecond apart, so that a listing by age has the order of the file.
             a.by, a.at, :actor, transaction_timestamp() + g.place * interval '1 microsecond', g.payee_kind
      FROM given g
      CROSS JOIN LATERAL (SELECT CASE WHEN :approve THEN g.key END AS key, CASE WHEN :approve THEN :actor END AS by,
                                 CASE WHEN :approve THEN clock_timestamp() END AS at) a
      ON CONFLICT (external_id) DO NOTHING
      RETURNING id, payable, amount, currency, payee_kind),
    awaited AS (
      INSERT INTO work (job, subject, due_at)
      SELECT c.job, m.id, coalesce(CAST(:due AS timestamptz), clock_timestamp()) FROM made m
      JOIN called_work c ON c.kind = 'payout' AND c.state = 'APPROVED' AND c.outcome = '' AND c.variant IN ('', m.payee_kind)
      WHERE :approve),
    told AS (
      INSERT INTO moves (kind, subject, source, target, actor, reason)
      SELECT 'payout', id, 'PENDING', 'APPROVED', :actor, 'approved as it was imported' FROM made WHERE :approve),
{taken_over("'payout:' || id || ':1:imported'")}""")

_CONTENT: Final = sa.text("""
    SELECT p.id, p.external_id, y.name AS payee, a.fund_account_id, p.amount, p.currency, p.mode, p.purpose, p.narration
    FROM payouts p JOIN payees y ON y.id = p.payee JOIN payout_accounts a ON a.id = p.account
    WHERE p.id = ANY(CAST(:ids AS uuid[]))""")


def line(row: Row) -> PayoutLine:
    """What a payout was asked for by, as its line."""
    return PayoutLine(
        external_id=row.external_id,
        payee=row.payee,
        fund_account_id=row.fund_account_id,
        amount_minor=row.amount,
        currency=row.currency,
        mode=Mode(row.mode) if row.mode else None,
        purpose=row.purpose,
        narration=row.narration,
    )


class PayoutImport(Import[PayoutLine]):
    """One import of payouts under way."""

    kind: ClassVar = "payout"
    entry: ClassVar = EntryType.PAYOUT_IMPORTED
    statement: ClassVar = _STATEMENT
    stored = Stored(table="payouts", fields=FIELDS, content=_CONTENT, line_of=line)

    def open(self, lines: Sequence[PayoutLine]) -> None:
        """Make what is missing, the payees' accounts at the provider too."""
        super().open(lines)
        payees = {name: id_ for (name, _), (id_, _) in self.payees.items()}
        pairs = sorted({(line.payee, line.fund_account_id) for line in lines})
        self.accounts = open_destinations(self.tx, self.installation, payees, pairs)
        self.organisations = organisations(self.tx, payees.values())

    def meet(self, found: Found) -> None:
        """Approve late what an earlier import of the same lines left PENDING."""
        if self.order.approve and found.pending:
            moved = decide(
                self.tx,
                Decision.APPROVE,
                sorted(found.pending),
                actor=self.actor,
                why="approved by a later import",
                due=self.order.due_at,
            )
            self.done.approved += sum(m.outcome == "moved" for m in moved)

    def columns(self, ids: Sequence[str], lines: Sequence[PayoutLine]) -> dict[str, object]:
        """Where each is sent to, and how; its effect's key, should it be approved."""
        own = str(self.installation)
        return {
            "approve": self.order.approve,
            "due": self.order.due_at,
            "accounts": literal(
                [self.accounts[line.payee, line.fund_account_id] for line in lines]
            ),
            "kinds": literal(
                [
                    kind_of(self.payees[one.payee, one.currency][0], self.organisations)
                    for one in lines
                ]
            ),
            "modes": literal([line.mode for line in lines]),
            "purposes": literal([line.purpose for line in lines]),
            "narrations": literal([line.narration for line in lines]),
            "keys": literal([effect_key_digits(own, SUBMIT, id_, 1) for id_ in ids]),
        }


def kind_of(payee: UUID, organisations: Collection[UUID]) -> str:
    """What a payee is, which says who sends its payouts."""
    return (PayeeKind.ORGANISATION if payee in organisations else PayeeKind.PERSON).value
