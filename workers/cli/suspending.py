"""What two people do to items of suspense: match, give back or write off what is open of one, or a part of it."""

from typing import TYPE_CHECKING

from db import subjects
from db.obligations.family import OBLIGATIONS
from db.suspense import items, resolve
from db.suspense.resolve import Resolution
from domain.errors import BadInputError
from domain.line_rules import money_rule, word_rule
from domain.money import format_major, parse_major
from domain.suspense import Way

if TYPE_CHECKING:
    from db.tx import Tx
    from workers.cli.actions import Agreed, Details

_RULE = "must be way=match|refund|write_off, may have amount=…, and has obligation=… where a receipt is matched"


def item_there(tx: "Tx", subject: str, details: "Details") -> None:
    """Check that an item is named by its id, so that two people mean the same, and that it may leave like that."""
    id_ = items.find(tx, subject)
    if str(id_) != subject:
        raise BadInputError("item", subject, f"must be the item's id, {id_}")
    resolve.check(tx, _asked(tx, subject, details))


def leave(tx: "Tx", agreed: "Agreed") -> str:
    """Money leaves an item as two people say."""
    asked = _asked(tx, agreed.subject, agreed.details)
    done = resolve.resolve(tx, asked, actor=agreed.both, why=agreed.why)
    amount, left = (format_major(minor, done.currency) for minor in (done.amount, done.left))
    return f"{amount} {done.currency} of item {agreed.subject} left suspense ({asked.way}), {left} of it is open"


def _asked(tx: "Tx", subject: str, details: "Details") -> Resolution:
    said = dict(details)
    if not said.keys() <= {"way", "amount", "obligation"} or "way" not in said:
        raise BadInputError("suspense.resolve", said, _RULE)
    if (rule := word_rule(said["way"], Way)) is not None:
        raise BadInputError("suspense.resolve way", said["way"], rule)
    item, name = items.find(tx, subject), said.get("obligation")
    return Resolution(
        item=item,
        way=Way(said["way"]),
        amount=_minor(tx, subject, said.get("amount")),
        obligation=None if name is None else subjects.find(tx, [name], [OBLIGATIONS])[name],
    )


def _minor(tx: "Tx", subject: str, amount: str | None) -> int | None:
    """An amount in major units of the item's currency, in minor ones; None for all that is open."""
    row = None if amount is None else items.show(tx, items.find(tx, subject))
    if amount is None or row is None:
        return None
    if (rule := money_rule("amount", amount, row.currency)) is not None:
        raise BadInputError("suspense.resolve amount", amount, rule)
    return parse_major(amount, row.currency, "amount")
