"""Make payouts of what is owed: a page of payees at a time, at one `now`, each once in a period."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from db import findings, installation
from db.clock import now
from db.earnings.source import EARNINGS
from db.payouts import batch
from db.payouts.batch import Made, Order, Source
from db.tx import Tx
from db.wallets.source import WALLETS
from domain.batching import (
    BATCH,
    FAULTS,
    BatchPolicy,
    LeftOut,
    Owed,
    Period,
    batch_external_id,
    left_out,
    narration,
    run_key,
)
from domain.findings import Finding, FindingKind
from domain.payees import PayeeKind
from domain.payout_ids import payout_id
from domain.payouts import SENDERS
from domain.tally import Count, Tally
from jobs.ports import Ports
from jobs.shapes import Page, Queue, Sweep

FIRST: Final = UUID(int=0)
PERIOD: Final = "period"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a batch has come. `now`, `tick`, `period` and `due` are those of its first page to the end."""

    now: str
    tick: str
    period: str
    due: str | None
    source: int = 0
    after: str = str(FIRST)
    faults: dict[str, int] = field(default_factory=dict)
    """Payees so far that a person must do something for, by why they are not paid."""


class BatchPayouts(Sweep):
    """Make payouts of earnings past their hold and of wallets, and approve those below the limit.

    One for each payee and currency in a period (`--scope period=hour|day|week|month`, a week where
    nobody says; a wallet has its own), named after the period its tick lies in: however late or
    often it runs, nobody is paid twice. What could not be paid stays where it is: `bursar why` says why.
    """

    name: ClassVar[str] = BATCH
    payees: ClassVar[PayeeKind] = PayeeKind.PERSON
    queue: ClassVar[Queue] = Queue.MONEY
    options: ClassVar[Mapping[str, tuple[str, ...]]] = {
        PERIOD: (Period.WEEK, *(period for period in Period if period is not Period.WEEK))
    }

    def __init__(
        self, policy: BatchPolicy, sources: Sequence[Source] = (EARNINGS, WALLETS)
    ) -> None:
        self.policy = policy
        self.sources = sources

    @classmethod
    def made(cls, ports: Ports) -> Self:
        """Needs nothing of the outside."""
        return cls(ports.batch)

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Make the payouts of one stretch of payees."""
        place = Place(**cursor) if cursor else self._begin(tx, run)
        source = self.sources[place.source]
        stretch = source.stretch(tx, self.payees, UUID(place.after))
        if stretch is None:
            return self._go_on(tx, place, Tally())
        found = source.owed(tx, stretch, datetime.fromisoformat(place.now), lock=True)
        orders, why_not = self._sort(tx, source, found, place)
        made = source.make(tx, orders, f"run:{run}") if orders else []
        due = None if place.due is None else datetime.fromisoformat(place.due)
        batch.approve_small(tx, made, self.policy.auto_approve_below_minor, due)
        why_not[LeftOut.PAID_ALREADY] += len(orders) - len(made)
        faults = Counter(place.faults) + Counter({w: why_not[w] for w in FAULTS})
        place = replace(place, after=str(stretch.last), faults=dict(faults))
        if not stretch.is_last:
            return Page(cursor=asdict(place), tally=_tally(made, why_not))
        return self._go_on(tx, place, _tally(made, why_not))

    def _begin(self, tx: Tx, run: int) -> Place:
        asked = batch.asked(tx, run, batch=self.name, sender=SENDERS[self.payees])
        period = Period(asked.scope.get(PERIOD, Period.WEEK))
        return Place(
            now=asked.now.isoformat(),
            tick=asked.tick_at.isoformat(),
            period=period,
            due=None if asked.due is None else asked.due.isoformat(),
        )

    def _sort(
        self, tx: Tx, source: Source, found: Sequence[Owed], place: Place
    ) -> tuple[list[Order], Counter[LeftOut]]:
        """What is to be paid, and how much of the rest is left out for which reason."""
        own, tick = installation.get(tx).id, datetime.fromisoformat(place.tick)
        orders, why_not = list[Order](), Counter[LeftOut]()
        for owed in found:
            reason = left_out(owed, self.policy)
            if reason is not None:
                why_not[reason] += 1
                continue
            key = run_key(owed.period or Period(place.period), tick)
            name = batch_external_id(source.name, key, owed.payee, owed.currency)
            orders.append(
                Order(
                    id=payout_id(own, name),
                    external_id=name,
                    narration=narration(source.words, key),
                    owed=owed,
                )
            )
        return orders, why_not

    def _go_on(self, tx: Tx, place: Place, tally: Tally) -> Page:
        """The next source, or the end: what a person must do something about is told."""
        if place.source + 1 < len(self.sources):
            follows = replace(place, source=place.source + 1, after=str(FIRST))
            return Page(cursor=asdict(follows), tally=tally)
        told = ", ".join(
            f"{place.faults[fault]} payees {words}"
            for fault, words in FAULTS.items()
            if place.faults.get(fault)
        )
        finding = Finding(
            kind=FindingKind.PAYEES_UNPAYABLE,
            subject=self.name,
            detail=f"owed at least the minimum and not paid: {told}",
        )
        if told:
            findings.report(tx, [finding])
        else:
            findings.cease(tx, [finding.key])
        return Page(cursor=None, tally=tally)

    def foresee(self, tx: Tx, scope: Mapping[str, Any]) -> Mapping[str, object]:
        """What a batch would make now: how many, their sum and the largest; and what it would leave out."""
        moment = now(tx)
        period = Period(scope.get(PERIOD, Period.WEEK))
        place = Place(now=moment.isoformat(), tick=moment.isoformat(), period=period, due=None)
        orders, why_not = list[Order](), Counter[LeftOut]()
        for source, found in self._all(tx, moment):
            these, others = self._sort(tx, source, found, place)
            there = batch.known(tx, [order.external_id for order in these])
            orders += [order for order in these if order.external_id not in there]
            why_not += others + Counter({LeftOut.PAID_ALREADY: len(there)})
        facts: dict[str, object] = {"key": run_key(period, moment), "would_make": len(orders)}
        for currency in sorted({order.owed.currency for order in orders}):
            mine = [order.owed for order in orders if order.owed.currency == currency]
            facts[f"amount_minor_{currency}"] = sum(owed.amount for owed in mine)
            if recovers := sum(owed.owing for owed in mine):
                facts[f"recovers_minor_{currency}"] = recovers
            facts[f"largest_minor_{currency}"] = max(owed.amount for owed in mine)
            facts[f"largest_payee_{currency}"] = max(mine, key=lambda owed: owed.amount).payee
        return facts | {f"left_out_{reason}": count for reason, count in sorted(why_not.items())}

    def _all(self, tx: Tx, moment: datetime) -> Iterator[tuple[Source, Sequence[Owed]]]:
        for source in self.sources:
            after = FIRST
            while (stretch := source.stretch(tx, self.payees, after)) is not None:
                yield source, source.owed(tx, stretch, moment, lock=False)
                after = stretch.last


def _tally(made: Sequence[Made], why_not: Counter[LeftOut]) -> Tally:
    return Tally(
        {
            Count.PROCESSED: len(made),
            Count.SUCCEEDED: len(made),
            Count.SKIPPED: why_not.total(),
        }
    )
