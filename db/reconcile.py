"""After a restore: hold the provider's own list against our payouts, and adopt what was lost.

A database that comes from a backup has forgotten what was sent after it. Every payout of the
provider's list that an effect here names is known. One that is filed under a payout's reference and
that no effect names was sent in the time that was lost: its effect is written as accepted, its state
brought to where it was, and `payouts.follow` goes on from there, so it is not sent again. What no
payout explains is a finding. Doing it twice changes nothing: what was adopted is known.

Lock order: the work rows there are, then payouts, their earnings and wallets, each in key order, then payees, tax years
and the books. An approval makes work rows after that: nobody else can wait for those, or hold them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import clock, findings, installation, switches
from db.payouts import guards, recovering, verdicts
from db.payouts.apply import Verdict, apply
from db.payouts.claim import Provider, commit_to, keep_back
from db.payouts.details import Details, read
from db.payouts.known import known
from db.payouts.recovering import Debts
from db.transitions import LeasedTx, seize, unleased_move
from db.tx import Tx
from domain.answers import ProviderPayout, ProviderStatus
from domain.findings import Finding, FindingKind
from domain.payout_ids import of_reference
from domain.payouts import PAYOUTS, PayoutState
from domain.switches import RESTORED

BACK_DAYS: Final = 7
"""How long before the restore was noticed the comparison begins, at the least."""
AHEAD: Final = timedelta(minutes=5)
"""How far the provider's clock may be ahead of ours."""
_K: Final = FindingKind


class Match(StrEnum):
    """What one payout of the provider's list is to us."""

    KNOWN = "known"
    ADOPTED = "adopted"
    """Sent in the time that was lost; written down now."""
    PARKED = "parked"
    """It contradicts our payout: a person must look, nothing is sent meanwhile."""
    ENDED = "ended"
    """Of a payout that ended unpaid, here and there."""
    FOREIGN = "foreign"
    """No payout or refund of ours explains it, or not all of it."""
    SURPLUS = "surplus"
    """A second transfer, or one of a payout that was given up: money went out that nobody awaits."""


Matches = Counter[Match]
"""Transfers by what they are."""

_WINDOW: Final = sa.text("""
    SELECT least(
      (SELECT min(e.first_sent_at) FROM work w
       JOIN payouts p ON p.id = w.subject AND p.state IN ('APPROVED', 'PROCESSING')
       JOIN effects e ON e.key = p.effect_key),
      (SELECT min(e.first_sent_at) FROM work w
       JOIN refunds r ON r.id = w.subject AND r.state IN ('RESERVED', 'PROCESSING')
       JOIN effects e ON e.key = r.effect_key),
      coalesce((SELECT at FROM switches WHERE name = :name AND is_on), clock_timestamp())
        - make_interval(days => :days))""")


def window(tx: Tx) -> tuple[datetime, datetime]:
    """From the oldest open send, or 7 days before the restore was noticed, until now and a little more."""
    start: datetime = tx.scalar(_WINDOW, name=RESTORED, days=BACK_DAYS)
    return start - AHEAD, clock.now(tx) + AHEAD


@dataclass(slots=True, kw_only=True)
class _Sorted:
    """A page of transfers by what is to be done about each."""

    matches: Matches = field(default_factory=Matches)
    adopt: dict[UUID, ProviderPayout] = field(default_factory=dict)
    approve: list[UUID] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def flag(self, match: Match, kind: FindingKind, subject: str, detail: str) -> None:
        self.matches[match] += 1
        self.findings.append(Finding(kind=kind, subject=subject, detail=detail))


_NAMED: Final = sa.text("""
    SELECT provider_id FROM effect_payments
    WHERE provider = :provider AND account = :account AND provider_id = ANY(CAST(:ids AS text[]))""")


FINDER: Final = "reconcile"
"""Who says that what a provider has was approved: whoever did is forgotten, and who compares may be who had made it."""


def compare(
    tx: Tx, provider: Provider, transfers: Sequence[ProviderPayout], *, actor: str
) -> Matches:
    """Hold one page of the provider's list against our payouts, and adopt what was lost."""
    ids = [t.provider_id for t in transfers]
    named = {
        row.provider_id
        for row in tx.rows(_NAMED, provider=provider.name, account=provider.account, ids=ids)
    }
    new = [t for t in transfers if t.provider_id not in named]
    done = _Sorted(matches=Matches({Match.KNOWN: len(transfers) - len(new)}))
    _sort(tx, provider, new, done)
    waiting = sorted(done.adopt.keys() - set(done.approve))
    leased = seize(tx, waiting, run=None, actor=actor, leased_too=True)
    why = f"its provider has it: sent in the time that the restored database has lost; compared by {actor}"
    moved = unleased_move(
        leased, PAYOUTS, sorted(done.approve), target=PayoutState.APPROVED, actor=FINDER, why=why
    )
    for refused in (m for m in moved if m.outcome != "moved"):
        transfer = done.adopt.pop(refused.subject)
        detail = f"{transfer.provider_id} {transfer.raw_status}; not adopted: {refused.outcome}"
        done.flag(Match.SURPLUS, _K.PAYOUT_PAID_AFTER_FAILED, f"payout {refused.subject}", detail)
    approved = sorted(done.adopt.keys() & set(done.approve))
    _adopt(seize(leased, approved, run=None, actor=actor, leased_too=True), provider, done)
    findings.report(tx, done.findings)
    return done.matches


_FOREIGN: Final = sa.text("""
    SELECT reference, subject, generation FROM effects
    WHERE provider = :provider AND account = :account AND reference = ANY(CAST(:references AS text[]))""")


def _sort(tx: Tx, provider: Provider, new: Sequence[ProviderPayout], done: _Sorted) -> None:
    names = [t.reference for t in new if t.reference]
    rows_ = tx.rows(_FOREIGN, provider=provider.name, account=provider.account, references=names)
    foreign = {row.reference: (row.subject, row.generation) for row in rows_}
    meant = {t.provider_id: foreign.get(t.reference) or of_reference(t.reference) for t in new}
    ids = sorted({payout for payout, _ in filter(None, meant.values())})
    rows = {row.id: row for row in read(tx, ids)}
    for transfer in new:
        about = meant[transfer.provider_id]
        row = rows.get(about[0]) if about else None
        if about is None or row is None:
            detail = f"{transfer.amount_minor} {transfer.currency} under {transfer.reference!r}"
            subject = f"transfer {transfer.provider_id}"
            done.flag(Match.FOREIGN, _K.TRANSFER_WITHOUT_PAYOUT, subject, detail)
        else:
            _place(done, transfer, row, about[1])


def _place(done: _Sorted, transfer: ProviderPayout, row: Details, generation: int) -> None:
    state, ahead = PayoutState(row.state), generation - row.generation
    subject, detail = f"payout {row.id}", f"{transfer.provider_id} is {transfer.raw_status}"
    is_retry = ahead == 1 and state is PayoutState.FAILED
    if ahead > 0 and not is_retry:
        more = f"{detail} in generation {generation}; here it is {state} in {row.generation}"
        done.flag(
            Match.FOREIGN, _K.TRANSFER_WITHOUT_PAYOUT, f"transfer {transfer.provider_id}", more
        )
    elif (ahead == 0 and row.provider_id is not None) or row.id in done.adopt:
        done.flag(Match.SURPLUS, _K.PAYOUT_FOUND_TWICE, subject, f"{detail}, beside another")
    elif is_retry or (ahead == 0 and state in _OPEN):
        done.adopt[row.id] = transfer
        if state in {PayoutState.PENDING, PayoutState.FAILED}:
            done.approve.append(row.id)
    elif transfer.status in _UNPAID:
        done.matches[Match.ENDED] += 1
    else:
        done.flag(
            Match.SURPLUS, _K.PAYOUT_PAID_AFTER_FAILED, subject, f"{detail}; here it is {state}"
        )


_OPEN: Final = frozenset({PayoutState.PENDING, PayoutState.APPROVED, PayoutState.PROCESSING})
_UNPAID: Final = frozenset(
    {ProviderStatus.FAILED, ProviderStatus.CANCELLED, ProviderStatus.REVERSED}
)


_HOLD: Final = sa.text("""
    SELECT FROM payouts WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")
_HOLD_EARNINGS: Final = sa.text("""
    SELECT FROM earnings e JOIN payout_earnings l ON l.earning = e.id
    WHERE l.payout = ANY(CAST(:ids AS uuid[])) ORDER BY e.id FOR UPDATE OF e""")


def _adopt(leased: LeasedTx, provider: Provider, done: _Sorted) -> None:
    """Bring each payout to where its provider says it is, by the one completion rule."""
    for lost in done.adopt.keys() - leased.held.keys():
        detail = f"its provider has {done.adopt[lost].provider_id}, and it waits for nothing here"
        done.flag(Match.PARKED, _K.WORK_MISSING, f"payout {lost}", detail)
    if not leased.held:
        return
    # What was withheld in the time that was lost is withheld again: where it comes to less or more, a person looks.
    for statement in (_HOLD, _HOLD_EARNINGS):
        leased.rows(statement, ids=list(leased.held))
    rows = read(leased, leased.held)
    # Where less is owed by now than was sent, the books could not hold it: a person looks at that too.
    behind = guards.behind(leased, rows)
    refused = {
        row.id: guards.short_of(row)
        for row in rows
        if row.state == PayoutState.APPROVED
        and row.id in behind
        and behind[row.id].owed < row.amount
    }
    debts = recovering.hold(leased, rows)
    refused |= {
        row.id: guards.SHORT_OF_DEBT
        for row in rows
        if row.id not in refused and not debts.take_again(row)
    }
    kept = [row for row in rows if row.id not in refused]
    refused |= keep_back(leased, provider, kept, debts)[1]
    rows = read(leased, leased.held)
    decided = {row.id: _verdict(leased, row, done) for row in rows}
    decided |= {
        id_: verdicts.parked(leased.held[id_], reason, _K.PAYOUT_ANSWER_MISMATCH)
        for id_, reason in refused.items()
    }
    unsent = [
        row
        for row in rows
        if row.state == PayoutState.APPROVED and decided[row.id].outcome is not None
    ]
    commit_to(leased, provider, unsent, Debts())
    decided |= {
        row.id: _verdict(leased, row, done) for row in read(leased, [row.id for row in unsent])
    }
    apply(leased, list(decided.values()))
    parked = sum(verdict.next.parked is not None for verdict in decided.values())
    done.matches += Matches({Match.PARKED: parked, Match.ADOPTED: len(decided) - parked})


def _verdict(leased: LeasedTx, row: Details, done: _Sorted) -> Verdict:
    verdict, _ = verdicts.of_report(
        known(leased.held[row.id], row), done.adopt[row.id], clock.now(leased)
    )
    return verdict


def finish(tx: Tx, *, who: str) -> None:
    """Effects were compared: this server is the installation's from now on, and workers may claim."""
    installation.accept_server(tx)
    switches.turn(tx, RESTORED, on=False, who=who, why="effects were compared with the provider")
    findings.heal(tx, FindingKind.DATABASE_RESTORED, [])
