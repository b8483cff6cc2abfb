"""The mortgages of the demo: what borrowers pay is divided and reaches their lenders; what cannot be is set apart.

Of one mortgage nobody has told who lends in it: its obligations are tried again, and end in suspense. Then
somebody tells, and two operators take one of them out; the others they give back to whoever paid.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from db import installation, progress as families, proposals, run_listing, runs, subjects
from db.dispersals.family import DISPERSALS
from db.dispersals.retrying import retry
from db.engine import Database
from db.importing.order import Lines
from db.obligations import import_receipts, imports, lenders, positions
from db.obligations.family import OBLIGATIONS
from db.payees.imports import PayeeLines, take_over as take_over_payees
from db.runs import Request
from db.suspense.resolve import Resolution, resolve
from db.tx import Tx
from domain.dispersals import SENDINGS_MAX, DispersalState
from domain.lender_lines import LenderLine
from domain.obligation_lines import ObligationLine
from domain.obligations import ObligationKind, ObligationState
from domain.payee_lines import PayeeLine
from domain.payees import PayeeKind
from domain.payout_rules import CURRENCY
from domain.position_lines import PositionLine
from domain.receipt_lines import ReceiptLine
from domain.runs import Origin, RunState
from domain.servicing import Frequency, Method
from domain.suspense import Way
from domain.tally import Count
from jobs import catalog
from jobs.cash.reconcile import ReconcileCash
from workers.demo.shop import Scene, until

HOUSE, GARDEN = "M-HOUSE", "M-GARDEN"
LENDERS: Final = {"Sunita Rao": 6000, "Vikram Shah": 3000, "Tara Nair": 1000}
"""Units of each in every mortgage, once it is told."""
WHOLE, POISONED = 8, 3
"""Obligations of the one mortgage, and of the other."""
AMOUNT_MINOR: Final = 100_000
PRINCIPAL_MINOR: Final = 10_000_000
RATE_PPM: Final = 10_000
AGO: Final = timedelta(days=21)
"""How long ago all of it was due and paid: no hold is open any more."""
SHARES: Final = WHOLE * len(LENDERS)
RESOLVE: Final = "suspense.resolve"
RECONCILE: Final = ReconcileCash.name
_PAGE: Final = 200


class Lending:
    """Mortgages, their obligations, and the two people who look after them."""

    def __init__(
        self, database: Database, operators: Sequence[str], say: Callable[[str], None]
    ) -> None:
        self._database, self._say = database, say
        self._asha, self._ravi = operators
        self._day = datetime.now(UTC).date() - AGO
        self.offences: int | None = None
        """How many the reconciliation found in the end; None before it."""

    def tell(self) -> Scene:
        """Act it out, from what comes in to what two people resolve."""
        self._is_paid_by_borrowers()
        yield from self._reaches_lenders(SHARES)
        self._say(f"{SHARES} shares of {WHOLE} obligations have reached their lenders")
        yield from until(lambda: len(self._where(ObligationState.ESCALATED)) == POISONED)
        self._say(
            f"{POISONED} obligations of {GARDEN} were tried again, and are set apart in suspense"
        )
        items = self._where(ObligationState.ESCALATED)
        self._is_repaired(items[0])
        yield from self._reaches_lenders(SHARES + len(LENDERS))
        self._say("one of them is out of suspense, and has reached its lenders")
        for item in items[1:]:
            self._leaves(item, Way.REFUND, "the borrower asks for it back")
        self._say(f"{len(items) - 1} more are given back to whoever paid")
        yield from self._is_reconciled()

    def bring_in(self, tx: Tx) -> None:
        """Make lenders, mortgages and obligations known; who lends in one of them nobody tells."""
        own = installation.get(tx).id
        payees = [
            PayeeLine(
                name=who,
                fund_account_id=f"fa_lender_{number}",
                kind=PayeeKind.PERSON.value,
                tax_class="individual",
                has_pan=True,
                resident=True,
                verified=True,
                default=True,
            )
            for number, who in enumerate(LENDERS)
        ]
        rows = range(1, len(payees) + 1)
        take_over_payees(tx, own, PayeeLines(lines=payees, file="demo", rows=rows))
        known = [LenderLine(external_id=who, payee=who) for who in LENDERS]
        lenders.take_over(tx, own, Lines(lines=known, file="demo"))
        self._says_who_lends(tx, HOUSE)
        lines = [_obligation(*one, self._day) for one in _named()]
        imports.take_over(tx, own, Lines(lines=lines, file="demo"), actor=self._asha)

    def _says_who_lends(self, tx: Tx, mortgage: str) -> None:
        lines = [
            PositionLine(
                external_id=f"{mortgage} {who}", mortgage=mortgage, lender=who, units=units
            )
            for who, units in LENDERS.items()
        ]
        positions.take_over(tx, installation.get(tx).id, Lines(lines=lines, file="demo"))

    def _is_paid_by_borrowers(self) -> None:
        def work(tx: Tx) -> None:
            lines = [
                ReceiptLine(
                    external_id=f"R-{name}",
                    reference=name,
                    amount_minor=AMOUNT_MINOR,
                    currency=CURRENCY,
                    received_on=self._day,
                    method=Method.MANUAL,
                )
                for name, _ in _named()
            ]
            order = Lines(lines=lines, file="demo")
            import_receipts.take_over(tx, installation.get(tx).id, order, actor=self._asha)

        self._database.transact(work)
        self._say(f"{WHOLE + POISONED} obligations are settled by what borrowers paid")

    def _reaches_lenders(self, shares: int) -> Scene:
        """What the bank refuses for good a person has paid again; a fourth time two of them."""
        while True:
            with self._database.begin() as tx:
                states = families.states(tx, (DISPERSALS.machine,))[DISPERSALS.machine.table]
                failed = subjects.listing(tx, DISPERSALS, _page(DispersalState.FAILED))
            for row in failed:
                self._again(row.id, row.sendings)
            if states.get(DispersalState.DISBURSED, 0) >= shares:
                return
            yield

    def _again(self, id_: UUID, sendings: int) -> None:
        by_two = sendings >= SENDINGS_MAX
        who = f"{self._asha}, {self._ravi}" if by_two else self._asha
        why = "the bank refused it, and takes it now"
        self._database.transact(lambda tx: retry(tx, id_, actor=who, why=why, by_two=by_two))
        self._say("the bank refuses a share, and is asked for another payout of it")

    def _is_repaired(self, item: UUID) -> None:
        """Somebody tells who lends; then the item goes where it belongs."""
        self._database.transact(lambda tx: self._says_who_lends(tx, GARDEN))
        self._leaves(item, Way.MATCH, "its lenders are known now")
        self._say(
            f"{GARDEN} has lenders now; {self._asha} and {self._ravi} match one item of suspense"
        )

    def _leaves(self, item: UUID, way: Way, why: str) -> None:
        """One proposes that money leave suspense, and another approves it."""
        details = {"way": way.value}
        number = self._database.transact(
            lambda tx: proposals.propose(tx, RESOLVE, str(item), details, by=self._asha, why=why)
        )

        def approve(tx: Tx) -> None:
            proposals.approve(tx, number, by=self._ravi)
            both = f"{self._asha}, {self._ravi}"
            resolve(tx, Resolution(item=item, way=way), actor=both, why=why)
            proposals.finish(tx, number, f"left suspense: {way}")

        self._database.transact(approve)

    def _is_reconciled(self) -> Scene:
        """The cash of obligations is held against the books, as it is each day."""
        asked = Request(
            job=RECONCILE,
            queue=catalog.queue_of(RECONCILE),
            version=1,
            origin=Origin.OPERATOR,
            requested_by=self._asha,
        )
        run = self._database.transact(lambda tx: runs.enqueue(tx, [asked])[0].id)
        yield from until(lambda: self._ended(run))
        self._say(f"the cash of obligations is reconciled: {self.offences} offences")

    def _ended(self, run: int) -> bool:
        with self._database.begin() as tx:
            row = run_listing.show(tx, run)
        if row is None or row.state not in {RunState.SUCCEEDED, RunState.FAILED}:
            return False
        found = row.tally.get(Count.FAILED, 0)
        self.offences = found if row.state == RunState.SUCCEEDED else max(1, found)
        return True

    def _where(self, state: ObligationState) -> list[UUID]:
        with self._database.begin() as tx:
            return [row.id for row in subjects.listing(tx, OBLIGATIONS, _page(state))]


def _page(state: str) -> subjects.Page:
    return subjects.Page(state=state, limit=_PAGE)


def _named() -> list[tuple[str, str]]:
    """Every obligation, and its mortgage."""
    of_house = [(f"O-HOUSE-{n}", HOUSE) for n in range(1, WHOLE + 1)]
    return of_house + [(f"O-GARDEN-{n}", GARDEN) for n in range(1, POISONED + 1)]


def _obligation(name: str, mortgage: str, day: date) -> ObligationLine:
    return ObligationLine(
        external_id=name,
        mortgage=mortgage,
        borrower="Kiran Desai",
        kind=ObligationKind.REGULAR_INTEREST,
        amount_minor=AMOUNT_MINOR,
        currency=CURRENCY,
        due_on=day,
        principal_minor=PRINCIPAL_MINOR,
        fee_rate_ppm=RATE_PPM,
        frequency=Frequency.MONTHLY,
    )
