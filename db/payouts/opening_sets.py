"""Payouts as another system left them: each with its effect, its work, its history and what it opens in the books.

What was sent there is an effect that is never sent from here. What is owed, in transit or withheld is
opened against `opening_balances`; what was paid left there, and opens nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from json import dumps
from typing import ClassVar, Final
from uuid import UUID

import sqlalchemy as sa

from db import clock
from db.accounts import Owner, open_accounts
from db.arrays import literal
from db.importing.comparing import Stored
from db.importing.order import Lines
from db.importing.sets import Import, entered
from db.payees.opening import open_destinations, organisations
from db.payouts import import_sets
from db.tx import Row, Tx
from domain.effects import EffectState, effect_key_digits
from domain.ledger import AccountKind, EntryType
from domain.opening_lines import OpeningLine
from domain.opening_rules import FIELDS, OF_REQUEST
from domain.payouts import SUBMIT, PayoutState
from domain.tax import Engine
from domain.tax_rates import rate_on

ENGINE: Final = "taken_over"
"""What computed the tax of a payout that another system withheld from."""
_P, _E = PayoutState, EffectState


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningLines(Lines[OpeningLine]):
    """Payouts of another system, up to when its word holds, and whose account they left from."""

    as_of: datetime
    provider: str
    account: str


_STATEMENT: Final = sa.text(f"""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:payees AS uuid[]), CAST(:accounts AS uuid[]),
        CAST(:payables AS bigint[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[]), CAST(:modes AS text[]),
        CAST(:purposes AS text[]), CAST(:narrations AS text[]), CAST(:hashes AS text[]), CAST(:keys AS uuid[]), CAST(:places AS int[]),
        CAST(:told AS text[]), CAST(:states AS text[]), CAST(:generations AS int[]), CAST(:origins AS text[]),
        CAST(:created AS timestamptz[]), CAST(:completed AS timestamptz[]), CAST(:reasons AS text[]), CAST(:records AS text[]),
        CAST(:waits AS boolean[]), CAST(:kinds AS text[]))
        AS g (id, external_id, payee, account, payable, amount, currency, mode, purpose, narration, content_hash, key, place,
              told, state, generation, source, created_at, completed_at, reason, record, waits, payee_kind)),
    facts AS MATERIALIZED (
      SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:outcomes AS text[]), CAST(:provider_ids AS text[]), CAST(:references AS text[]),
        CAST(:old_keys AS text[]), CAST(:utrs AS text[]), CAST(:submitted AS timestamptz[]),
        CAST(:nets AS bigint[]), CAST(:grosses AS bigint[]), CAST(:bases AS bigint[]), CAST(:taxes AS bigint[]),
        CAST(:rates AS int[]), CAST(:engines AS text[]), CAST(:years AS text[]), CAST(:quarters AS text[]),
        CAST(:sections AS text[]), CAST(:codes AS text[]), CAST(:credits AS bigint[]), CAST(:opened AS bigint[]))
        AS f (id, outcome, provider_id, reference, old_key, utr, submitted_at, net, gross, base, tax, rate, engine, year, quarter,
              section, code, credit, opened)),
    -- A payout that is there already, committed or by a twin a moment ago, is left as it is.
    inserted AS (
      INSERT INTO payouts (id, external_id, payee, account, payable, amount, currency, mode, purpose, narration, content_hash,
                           state, generation, effect_key, approval_seal, created_by, completed_at, error, created_at, source,
                           net_amount, tds_deducted, tds_gross, tds_base, tds_rate_bps, tds_engine, tds_financial_year, payee_kind)
      SELECT g.id, g.external_id, g.payee, g.account, g.payable, g.amount, g.currency, g.mode, g.purpose, g.narration,
             decode(g.content_hash, 'hex'), g.state, g.generation,
             CASE WHEN f.outcome IS NOT NULL THEN g.key END, CASE WHEN f.outcome IS NOT NULL THEN {import_sets.sealed("g.generation")} END,
             :actor, g.completed_at, g.reason, g.created_at + g.place * interval '1 microsecond', g.source,
             f.net, f.tax, f.gross, f.base, f.rate, f.engine, f.year, g.payee_kind
      FROM given g JOIN facts f ON f.id = g.id
      ON CONFLICT (external_id) DO NOTHING
      RETURNING id),
    born AS MATERIALIZED (
      SELECT g.*, f.outcome, f.provider_id, f.reference, f.old_key, f.utr, f.submitted_at, f.gross, f.base, f.tax, f.rate, f.engine,
             f.year, f.quarter, f.section, f.code, f.credit, f.opened
      FROM inserted i JOIN given g ON g.id = i.id JOIN facts f ON f.id = i.id),
    remembered AS (
      INSERT INTO takeovers (payout, state, generation, as_of, record, taken_over_by)
      SELECT id, told, generation, :as_of, CAST(record AS json), :actor FROM born),
    sent AS (
      -- Its body is not known here, and so never sent: what is kept of it says so.
      INSERT INTO effects (key, kind, subject, generation, provider, account, request, state, sends, token, provider_id, utr, error,
                           first_sent_at, accepted_at, taken_over, idempotency_key, reference)
      SELECT key, :submit, id, generation, :provider, :account, CAST('null' AS json), outcome, 1, 0, provider_id, utr, reason,
             submitted_at, CASE WHEN provider_id IS NOT NULL THEN submitted_at END, true, old_key, reference
      FROM born WHERE outcome IS NOT NULL),
    named AS (
      INSERT INTO effect_payments (key, provider, account, provider_id)
      SELECT key, :provider, :account, provider_id FROM born WHERE provider_id IS NOT NULL),
    awaited AS (
      INSERT INTO work (job, subject)
      SELECT c.job, b.id FROM born b
      JOIN called_work c ON c.kind = 'payout' AND c.state = b.state AND c.outcome = coalesce(b.outcome, '') AND c.variant IN ('', b.payee_kind)
       AND c.job IS NOT NULL
      WHERE b.waits),
    history AS (
      INSERT INTO moves (kind, subject, source, target, actor, reason)
      SELECT 'payout', id, 'PENDING', state, :actor, concat('taken over as ', told, ', as it was before ', CAST(:until AS text)) FROM born),
    recorded AS (
      INSERT INTO tax_records (payout, generation, payee, currency, financial_year, quarter, section, code, engine, rate_bps,
                               gross, share, base, tax, recorded_at)
      SELECT id, generation, payee, currency, year, quarter, section, code, engine, rate, gross, amount, base, tax, completed_at
      FROM born WHERE state = 'COMPLETED' AND year IS NOT NULL),
    made AS (
      SELECT id, generation, credit AS payable, opened AS amount, currency FROM born WHERE opened > 0),
    {entered("concat_ws(':', 'payout', id, generation, 'opened')")}
    SELECT b.told AS label, n.payable, n.liability, b.currency, sum(b.amount) AS amount, count(*) AS rows,
           coalesce(sum(n.amount), 0) AS posted, count(n.entry) AS entries, array_agg(b.id) AS ids
    FROM born b LEFT JOIN numbered n ON n.id = b.id GROUP BY b.told, n.payable, n.liability, b.currency""")

_COUNT: Final = sa.text("""
    SELECT count_in_tax_years(array_agg(p.id), array_agg(p.tds_financial_year), array_agg(1),
                              array_agg(CASE WHEN p.state IN ('APPROVED', 'PROCESSING') THEN 1 ELSE 0 END))
    FROM payouts p WHERE p.id = ANY(CAST(:ids AS uuid[])) AND p.tds_financial_year IS NOT NULL
    HAVING count(*) > 0""")

_CONTENT: Final = sa.text("""
    SELECT p.id, p.external_id, y.name AS payee, a.fund_account_id, p.amount, p.currency, p.mode, p.purpose, p.narration, t.record
    FROM payouts p JOIN payees y ON y.id = p.payee JOIN payout_accounts a ON a.id = p.account
    LEFT JOIN takeovers t ON t.payout = p.id
    WHERE p.id = ANY(CAST(:ids AS uuid[]))""")


def _line(row: Row) -> OpeningLine:
    """What stands under an external id, as far as it is compared: its record. What was only imported was in no state."""
    request = import_sets.line(row)
    return OpeningLine(
        request=request,
        state=PayoutState.PENDING,
        record=tuple(row.record or (*request.record, *[""] * len(FIELDS[OF_REQUEST:]))),
    )


class PayoutOpening(Import[OpeningLine]):
    """One take-over of payouts under way."""

    kind: ClassVar = "payout"
    entry: ClassVar = EntryType.PAYOUT_OPENED
    against: ClassVar = AccountKind.OPENING_BALANCES
    statement: ClassVar = _STATEMENT
    stored = Stored(table="payouts", fields=FIELDS, content=_CONTENT, line_of=_line)

    def __init__(self, tx: Tx, installation: UUID, order: OpeningLines, actor: str) -> None:
        super().__init__(tx, installation, order, actor)
        self.whose, self.now = order, clock.now(tx)

    def open(self, lines: Sequence[OpeningLine]) -> None:
        """Make what is missing, the payees' accounts at the provider and where tax is owed too."""
        super().open(lines)
        payees = {name: id_ for (name, _), (id_, _) in self.payees.items()}
        self.organisations = organisations(self.tx, payees.values())
        pairs = sorted({(line.payee, line.request.fund_account_id) for line in lines})
        self.accounts = open_destinations(self.tx, self.installation, payees, pairs)
        wanted = {
            Owner(kind=found[0], owner="", currency=line.currency)
            for line in lines
            if (found := line.opens) and found[0] is not AccountKind.PAYEE_PAYABLE
        }
        self.credits = {
            (owner.kind, owner.currency): id_
            for owner, id_ in open_accounts(self.tx, wanted).items()
        }

    def keep(self, made: set[UUID]) -> None:
        """Count what was withheld in the years of its payees."""
        self.tx.scalar(_COUNT, ids=sorted(made))

    def columns(self, ids: Sequence[str], lines: Sequence[OpeningLine]) -> dict[str, object]:
        """What was asked, what is known of it, what was withheld, and what it opens."""
        return {
            "as_of": self.whose.as_of,
            "until": f"{self.whose.as_of:%Y-%m-%dT%H:%M:%SZ}",
            "provider": self.whose.provider,
            "account": self.whose.account,
            "submit": SUBMIT,
            **self._request(ids, lines),
            **self._standing(lines),
            **_withheld(lines),
        }

    def _request(self, ids: Sequence[str], lines: Sequence[OpeningLine]) -> dict[str, object]:
        own, asked = str(self.installation), [line.request for line in lines]
        opened = [line.opens for line in lines]
        return {
            "accounts": literal([self.accounts[one.payee, one.fund_account_id] for one in asked]),
            "kinds": literal(
                [
                    import_sets.kind_of(self.payees[one.payee, one.currency][0], self.organisations)
                    for one in asked
                ]
            ),
            "modes": literal([one.mode for one in asked]),
            "purposes": literal([one.purpose for one in asked]),
            "narrations": literal([one.narration for one in asked]),
            "keys": literal(
                [
                    effect_key_digits(own, SUBMIT, id_, line.generation)
                    for id_, line in zip(ids, lines, strict=True)
                ]
            ),
            "opened": literal([found[1] if found else 0 for found in opened]),
            "credits": literal(
                [
                    self._credit(line, found[0]) if found else None
                    for line, found in zip(lines, opened, strict=True)
                ]
            ),
        }

    def _credit(self, line: OpeningLine, kind: AccountKind) -> int:
        if kind is AccountKind.PAYEE_PAYABLE:
            return self.payees[line.payee, line.currency][1]
        return self.credits[kind, line.currency]

    def _standing(self, lines: Sequence[OpeningLine]) -> dict[str, object]:
        # An approval given elsewhere is none here: a person looks at what is about to be sent.
        stands = [_P.PENDING if line.state is _P.APPROVED else line.state for line in lines]
        return {
            "told": literal([line.state for line in lines]),
            "states": literal(stands),
            "generations": literal([line.generation for line in lines]),
            "origins": literal([line.origin for line in lines]),
            "created": literal(
                [line.created_at or line.submitted_at or self.whose.as_of for line in lines]
            ),
            "submitted": literal([line.submitted_at for line in lines]),
            "completed": literal([line.completed_at for line in lines]),
            "reasons": literal([line.reason for line in lines]),
            "records": literal([dumps(line.record) for line in lines]),
            "waits": literal([line.waits(self.now) for line in lines]),
            "outcomes": literal([line.effect_state for line in lines]),
            "provider_ids": literal([line.provider_id for line in lines]),
            "references": literal([line.reference if line.was_sent else None for line in lines]),
            "old_keys": literal([line.idempotency_key for line in lines]),
            "utrs": literal([line.utr for line in lines]),
        }


def _withheld(lines: Sequence[OpeningLine]) -> dict[str, object]:
    engines = [
        (ENGINE if line.tax else Engine.NONE) if line.is_withheld else None for line in lines
    ]
    taxes = [line.tax for line in lines]
    rates = [rate_on(tax.period.day) if tax else None for tax in taxes]
    return {
        "nets": literal([line.net_minor if line.is_withheld else None for line in lines]),
        "engines": literal(engines),
        "grosses": literal([tax.gross_minor if tax else 0 for tax in taxes]),
        "bases": literal([tax.base_minor if tax else 0 for tax in taxes]),
        "taxes": literal([tax.tax_minor if tax else 0 for tax in taxes]),
        "rates": literal([tax.rate_bps if tax else None for tax in taxes]),
        "years": literal([tax.period.financial_year if tax else None for tax in taxes]),
        "quarters": literal([tax.period.quarter if tax else None for tax in taxes]),
        "sections": literal([rate.section if rate else None for rate in rates]),
        "codes": literal([rate.code if rate else None for rate in rates]),
    }
