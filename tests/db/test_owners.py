"""A query by owner without an owner raises, before it asks anything: none never means everyone (F89)."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from uuid import uuid4

import pytest

import db
from db.tx import Tx
from domain.checkouts import Wanted
from domain.errors import BrokenError
from domain.owners import ConsultantOwner, CustomerOwner

Owned = Callable[..., object]


def by_owner() -> Iterator[tuple[str, Owned]]:
    """Every public function of `db` that takes an owner, wherever it is."""
    for module in pkgutil.walk_packages(db.__path__, "db."):
        if ".migrations" in module.name:
            continue
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            hints = inspect.signature(function).parameters
            if function.__module__ == module.name and any(
                "Owner" in str(p.annotation) and n == "owner" for n, p in hints.items()
            ):
                yield f"{module.name}.{name}", function


FOUND = dict(by_owner())


def test_there_are_queries_by_owner() -> None:
    assert "db.bookings.cancel.cancel_pending_checkout" in FOUND


@pytest.mark.parametrize("name", sorted(FOUND))
def test_none_is_no_owner(name: str) -> None:
    function = FOUND[name]
    given = {
        n: None if n == "owner" else uuid4()
        for n, p in inspect.signature(function).parameters.items()
        if p.default is p.empty and n != "tx"
    }
    with pytest.raises(BrokenError, match="never means everyone"):
        function(Tx(None), **given)  # type: ignore[arg-type]  # nothing may be asked of it


@pytest.mark.parametrize("kind", [CustomerOwner, ConsultantOwner])
def test_an_owner_is_somebody(kind: Owned) -> None:
    with pytest.raises(BrokenError):
        kind(id=None)


def test_a_checkout_without_its_customer_cannot_be_asked_for() -> None:
    with pytest.raises(BrokenError):
        Wanted(customer=None, plan=uuid4(), appointment=uuid4())  # type: ignore[arg-type]  # what must fail
