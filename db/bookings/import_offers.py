"""Bring in who books and what is offered: customers, and plans with their consultants."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final
from uuid import UUID

import sqlalchemy as sa

from db.importing.records import Intake, New
from db.payees.opening import Payable, open_payees
from db.tx import Row
from domain.offer_lines import CUSTOMER_RECORDS, PLAN_RECORDS, CustomerLine, PlanLine
from domain.payees import PayeeKind

_PAYEES: Final = sa.text("""
    SELECT y.name, y.id, y.kind, c.external_id AS customer
    FROM payees y LEFT JOIN customers c ON c.payee = y.id WHERE y.name = ANY(CAST(:names AS text[]))""")
_CUSTOMERS: Final = sa.text("""
    INSERT INTO customers (id, external_id, name, email, payee, organisation)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:names AS text[]), CAST(:emails AS text[]),
                         CAST(:payees AS uuid[]), CAST(:organisations AS uuid[]))""")


class Customers(Intake[CustomerLine]):
    """Customers: whose payees, and whose organisations, were told of before."""

    kind: ClassVar = "customer"
    table: ClassVar = "customers"
    fields: ClassVar = CUSTOMER_RECORDS.fields

    def judge(self, new: Sequence[New[CustomerLine]]) -> None:
        """A payee is one customer; an organisation is one."""
        unknown = "must be the name of a payee: import payees first"
        self.payees = self.known(_PAYEES, new, "payee", lambda line: line.payee, unknown)
        self.organisations = self.known(
            _PAYEES, new, "organisation", lambda line: line.organisation, unknown
        )
        seen: dict[str, str] = {}
        for one in new:
            name, whose = one.line.payee, one.line.organisation
            if name is not None and name in self.payees:
                other = self.payees[name].customer or seen.get(name)
                if other is not None:
                    self.blame(one, "payee", name, f"is customer {other} already")
                seen[name] = one.line.external_id
            if whose is not None and whose in self.organisations:
                kind = self.organisations[whose].kind
                if kind != PayeeKind.ORGANISATION:
                    self.blame(one, "organisation", whose, f"is a {kind}: no organisation")

    def insert(self, part: Sequence[New[CustomerLine]]) -> None:
        """Write one set of customers."""
        self.tx.run(
            _CUSTOMERS,
            ids=[one.id for one in part],
            external_ids=[one.line.external_id for one in part],
            names=[one.line.name for one in part],
            emails=[one.line.email for one in part],
            payees=[_id(self.payees, one.line.payee) for one in part],
            organisations=[_id(self.organisations, one.line.organisation) for one in part],
        )


def _id(found: Mapping[str, Row], name: str | None) -> UUID | None:
    return None if name is None else found[name].id


_CONSULTANTS: Final = sa.text("""
    INSERT INTO consultants (payee) SELECT DISTINCT payee FROM unnest(CAST(:payees AS uuid[])) AS g (payee) ORDER BY payee
    ON CONFLICT DO NOTHING""")
_PLANS: Final = sa.text("""
    INSERT INTO plans (id, external_id, consultant, kind, title, price, currency, minutes, times, active)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:payees AS uuid[]), CAST(:kinds AS text[]),
                         CAST(:titles AS text[]), CAST(:prices AS bigint[]), CAST(:currencies AS text[]), CAST(:minutes AS int[]),
                         CAST(:times AS smallint[]), CAST(:active AS boolean[]))""")


class Plans(Intake[PlanLine]):
    """Plans. A consultant nobody has told of is made, and is not paid before their account is known."""

    kind: ClassVar = "plan"
    table: ClassVar = "plans"
    fields: ClassVar = PLAN_RECORDS.fields

    def judge(self, new: Sequence[New[PlanLine]]) -> None:
        """Nothing is wrong with a plan that its own line does not show."""

    def insert(self, part: Sequence[New[PlanLine]]) -> None:
        """Write one set of plans, with whoever offers them."""
        wanted = list(dict.fromkeys((one.line.consultant, one.line.currency) for one in part))
        made: dict[tuple[str, str], Payable] = open_payees(self.tx, self.installation, wanted)
        payees = [made[one.line.consultant, one.line.currency][0] for one in part]
        self.tx.run(_CONSULTANTS, payees=payees)
        self.tx.run(
            _PLANS,
            ids=[one.id for one in part],
            external_ids=[one.line.external_id for one in part],
            payees=payees,
            kinds=[one.line.kind for one in part],
            titles=[one.line.title for one in part],
            prices=[one.line.price_minor for one in part],
            currencies=[one.line.currency for one in part],
            minutes=[one.line.minutes for one in part],
            times=[one.line.times for one in part],
            active=[one.line.active for one in part],
        )
