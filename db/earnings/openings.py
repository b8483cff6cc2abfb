"""Take over earnings of another system in whatever state they are: all or nothing, each external id once.

Their payouts come first: an earning that is on its way, or was paid, is linked to the payout that was taken
over, which opened what is in transit. What is owed is opened here.
"""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from db.earnings.opening_sets import EarningLines, EarningOpening, Taken, taken
from db.importing import sets
from db.importing.order import ERRORS_MAX, Imported, Told
from db.tx import Tx
from domain.errors import BadInputError, BadInputsError
from domain.money import format_major
from domain.opening_earnings import FITTING, LIVE, OpeningEarning

__all__ = ["EarningLines", "look", "take_over"]


def take_over(
    tx: Tx,
    installation: UUID,
    order: EarningLines,
    *,
    actor: str,
    told: Told = lambda _: None,
) -> Imported:
    """Take `order` over in this transaction, which is to have `seconds` to spare.

    Raises `BadInputsError` naming file, row and field of lines whose external id exists with other
    content, and of those that do not fit their payouts; nothing is to be committed then.
    """
    payouts = taken(tx, order.lines)
    _fit(order, payouts)
    return EarningOpening(tx, installation, order, actor, payouts).run(told)


def look(
    tx: Tx, installation: UUID, order: EarningLines, *, told: Told = lambda _: None
) -> Imported:
    """Say what `take_over` would do, and write nothing. Raises the same errors."""
    _fit(order, taken(tx, order.lines))
    return sets.foresee(tx, installation, EarningOpening, order, told)


def _fit(order: EarningLines, payouts: Mapping[str, Taken]) -> None:
    """Refuse earnings of payouts that were not taken over, or otherwise; and payouts that are not what they pay."""
    errors: list[BadInputError] = []
    paid: defaultdict[str, list[int]] = defaultdict(list)
    for at, line in enumerate(order.lines):
        if line.payout is None:
            continue
        rule = _misfit(line, payouts.get(line.payout))
        if rule is not None:
            errors.append(BadInputError(f"{order.place(at)} field payout", line.payout, rule))
        elif line.state in LIVE:
            paid[line.payout].append(at)
    for name, places in paid.items():
        payout = payouts[name]
        owed = sum(order.lines[at].owed_minor for at in places)
        if owed != payout.amount:
            whole, theirs = (format_major(n, payout.currency) for n in (payout.amount, owed))
            rule = f"is of {whole}, and its earnings in this file come to {theirs}: they must be all of it"
            errors.append(BadInputError(f"{order.place(places[0])} field payout", name, rule))
    if errors:
        raise BadInputsError(errors[:ERRORS_MAX], more=max(0, len(errors) - ERRORS_MAX))


def _misfit(line: OpeningEarning, payout: Taken | None) -> str | None:
    if payout is None:
        return "must be the external_id of a payout that was taken over: take payouts over first"
    if not payout.is_earned:
        return "was taken over as one whose amount was told: its source must be earnings"
    if (payout.payee, payout.currency) != (line.payee, line.currency):
        return f"pays {payout.payee} in {payout.currency}"
    if payout.there not in FITTING[line.state]:
        return f"was {payout.there} there: no earning of it is {line.state}"
    return None
