"""What two people may do together, by name; what each needs is checked when it is proposed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from db import effects, installation, leases
from db.payouts import listing
from db.tx import Tx
from domain.errors import BadInputError, RefusedError
from workers.cli.resolving import by_two, checked

Details = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is checked when it is proposed, and what is done when it is approved."""

    check: Callable[[str, Details], object]
    """`check(subject, details)` raises `BadInputError`."""
    run: Callable[[Tx, str, Details, str, str], str]
    """`run(tx, subject, details, both, why)` acts in the approval's transaction, and says what came of it."""


def action_named(name: str) -> Action:
    """Return an action. Raises `BadInputError` for one there is not."""
    if name not in ACTIONS:
        raise BadInputError("action", name, f"must be one of {', '.join(ACTIONS)}")
    return ACTIONS[name]


def _nothing(_subject: str, details: Details) -> None:
    if details:
        raise BadInputError("--set", dict(details), "this action takes no details")


def _rebind_details(_subject: str, details: Details) -> tuple[str, str]:
    match dict(details):
        case {"provider": str(provider), "account": str(account), **rest} if not rest:
            return provider, account
        case other:
            raise BadInputError("provider.rebind", other, "must be provider=… account=…")


def _rebind(tx: Tx, subject: str, details: Details, _both: str, _why: str) -> str:
    provider, account = _rebind_details(subject, details)
    installation.bind(tx, provider, account, rebind=True)
    return f"the database is bound to {provider} account {account}"


def _break_lease(tx: Tx, subject: str, _details: Details, _both: str, _why: str) -> str:
    if not leases.break_expired(tx, subject):
        raise RefusedError(
            f"lease {subject} is live, or is not there: a live lease is never broken"
        )
    return f"lease {subject} is gone"


def _resolve_details(_subject: str, details: Details) -> None:
    checked(details)


def _effect(tx: Tx, subject: str, details: Details, both: str, why: str) -> str:
    row = effects.get(tx, UUID(subject))
    if row is None:
        raise BadInputError("effect", subject, "must be the key of an effect")
    return by_two(tx, str(row.subject), details, both, why)


def _payout(tx: Tx, subject: str, details: Details, both: str, why: str) -> str:
    listing.find(tx, [subject])
    return by_two(tx, subject, details, both, why)


ACTIONS: Final[dict[str, Action]] = {
    "payout.resolve": Action(check=_resolve_details, run=_payout),
    "effect.resolve": Action(check=_resolve_details, run=_effect),
    "provider.rebind": Action(check=_rebind_details, run=_rebind),
    "lease.break": Action(check=_nothing, run=_break_lease),
}
