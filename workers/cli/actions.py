"""What two people may do together, by name; what each needs is checked when it is proposed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, get_args
from uuid import UUID

from db import effects, installation, leases
from db.payouts import listing
from db.payouts.decide import decide
from db.payouts.resolve import Word
from db.refunds import resolve as refunds
from db.tx import Tx
from domain.decisions import Decision
from domain.errors import BadInputError, RefusedError
from workers.cli import disbursing, forgiving, suspending, vouching
from workers.cli.asking import subject as id_of
from workers.cli.crediting import Giving, brought_with_its_file
from workers.cli.resolving import by_two, checked
from workers.settings.model import PayoutProvider

Details = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What two people agreed on."""

    subject: str
    details: Details
    both: str
    """Their names."""
    why: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is checked when it is proposed, and what is done when it is approved."""

    check: Callable[[Tx, str, Details], object]
    """`check(tx, subject, details)` raises `BadInputError` for what could never be carried out."""
    run: Callable[[Tx, Agreed], str]
    """Acts in the approval's transaction, and says what came of it."""


def action_named(name: str) -> Action:
    """Return an action. Raises `BadInputError` for one there is not."""
    if name not in ACTIONS:
        raise BadInputError("action", name, f"must be one of {', '.join(ACTIONS)}")
    return ACTIONS[name]


def _lease_there(tx: Tx, subject: str, details: Details) -> None:
    if details:
        raise BadInputError("--set", dict(details), "this action takes no details")
    if not leases.exists(tx, subject):
        raise BadInputError("lease", subject, "must be a lease that `bursar leases list` shows")


def _rebind_details(_tx: Tx, subject: str, details: Details) -> tuple[str, str]:
    match dict(details):
        case {"provider": str(provider), "account": str(account), **rest} if not rest:
            pass
        case other:
            raise BadInputError("provider.rebind", other, "must be provider=… account=…")
    if provider not in get_args(PayoutProvider):
        rule = f"must be one of {', '.join(get_args(PayoutProvider))}"
        raise BadInputError("provider.rebind provider", provider, rule)
    if subject != f"{provider}:{account}":
        raise BadInputError("provider.rebind", subject, f"must be {provider}:{account}")
    return provider, account


def _rebind(tx: Tx, agreed: Agreed) -> str:
    provider, account = _rebind_details(tx, agreed.subject, agreed.details)
    installation.bind(tx, provider, account, rebind=True)
    return f"the database is bound to {provider} account {account}"


def _break_lease(tx: Tx, agreed: Agreed) -> str:
    if not leases.break_expired(tx, agreed.subject):
        raise RefusedError(
            f"lease {agreed.subject} is live, or is not there: a live lease is never broken"
        )
    return f"lease {agreed.subject} is gone"


def _payout_there(tx: Tx, subject: str, details: Details) -> None:
    checked(details)
    listing.find(tx, [subject])


def _effect_there(tx: Tx, subject: str, details: Details) -> None:
    checked(details)
    _payout_of(tx, subject)


def _payout_of(tx: Tx, key: str) -> str:
    row = effects.get(tx, id_of(key, "effect"))
    if row is None:
        raise BadInputError("effect", key, "must be the key of an effect")
    return str(row.subject)


def _effect(tx: Tx, agreed: Agreed) -> str:
    return _payout(tx, replace(agreed, subject=_payout_of(tx, agreed.subject)))


def _payout(tx: Tx, agreed: Agreed) -> str:
    word = Word(by=agreed.both, why=agreed.why, known_at=agreed.proposed_at)
    return by_two(tx, agreed.subject, agreed.details, word)


def _retry_there(tx: Tx, subject: str, details: Details) -> None:
    if details:
        raise BadInputError("--set", dict(details), "this action takes no details")
    id_ = listing.find(tx, [subject])[subject]
    if str(id_) != subject:
        raise BadInputError("payout.retry", subject, f"must be the payout's id, {id_}")


def _retry(tx: Tx, agreed: Agreed) -> str:
    """One more generation of a payout that was refused as often as one person may try."""
    [moved] = decide(tx, Decision.RETRY, [UUID(agreed.subject)], actor=agreed.both, why=agreed.why)
    if moved.outcome != "moved":
        raise RefusedError(f"payout {agreed.subject} cannot be retried: {moved.outcome}")
    return f"payout {agreed.subject} is sent once more, under its next generation"


def _credit(tx: Tx, agreed: Agreed) -> str:
    """Never by itself: whoever approves holds the file in their hands."""
    brought_with_its_file(tx, agreed.subject, agreed.details)
    return ""


def _refund_there(tx: Tx, subject: str, details: Details) -> str | None:
    """What a refund was given as, None for one that was not."""
    refunds.doubt(tx, id_of(subject, "refund"))
    match dict(details):
        case {"result": "not_given", **rest} if not rest:
            return None
        case {"result": "given", "given_as": str(given_as), **rest} if given_as and not rest:
            return given_as
        case other:
            rule = "must be result=not_given, or result=given given_as=…"
            raise BadInputError("refund.resolve", other, rule)


def _refund(tx: Tx, agreed: Agreed) -> str:
    given_as = _refund_there(tx, agreed.subject, agreed.details)
    word = Word(by=agreed.both, why=agreed.why, known_at=agreed.proposed_at)
    state = refunds.declare(tx, id_of(agreed.subject, "refund"), word, given_as=given_as)
    return f"refund {agreed.subject} is {state}"


ACTIONS: Final[dict[str, Action]] = {
    "payout.resolve": Action(check=_payout_there, run=_payout),
    "effect.resolve": Action(check=_effect_there, run=_effect),
    "refund.resolve": Action(check=_refund_there, run=_refund),
    "payout.retry": Action(check=_retry_there, run=_retry),
    "obligation.waive": Action(check=forgiving.obligation_there, run=forgiving.waive),
    "obligation.write_off": Action(check=forgiving.obligation_there, run=forgiving.write_off),
    "receipt.reverse": Action(check=forgiving.receipt_there, run=forgiving.undo),
    "suspense.resolve": Action(check=suspending.item_there, run=suspending.leave),
    "dispersal.retry": Action(check=disbursing.dispersal_there, run=disbursing.pay_again),
    vouching.ACTION: Action(check=vouching.account_there, run=vouching.say),
    "provider.rebind": Action(check=_rebind_details, run=_rebind),
    **{what.value: Action(check=brought_with_its_file, run=_credit) for what in Giving},
    "lease.break": Action(check=_lease_there, run=_break_lease),
}
