"""Flutterwave's webhooks: whoever knows the password may say anything, and use up nothing."""

import pytest

from domain.inbox import VerifiedEvent
from domain.webhooks import flutterwave
from domain.webhooks.refusals import (
    EventUnreadableError,
    SecretMissingError,
    SignatureMissingError,
    SignatureWrongError,
)
from tests.domain.webhooks.signing import BEFORE, NOW, SECRET, flutterwave_event, raw

BODY = raw(flutterwave_event())


def checked(
    body: bytes = BODY, password: str = SECRET, secrets: tuple[str, ...] = (SECRET, BEFORE)
) -> VerifiedEvent:
    return flutterwave.verify(body, {"verif-hash": password}, secrets)


def test_an_event_says_what_it_is() -> None:
    event = checked()
    assert (event.provider, event.type, event.entity) == (
        "flutterwave",
        "transfer.completed",
        "33286",
    )
    assert event.occurred_at == NOW
    assert checked(password=BEFORE) == event


@pytest.mark.parametrize("password", [SECRET[:-1], SECRET + "x", SECRET.upper(), "é", " " + SECRET])
def test_another_password_is_refused(password: str) -> None:
    """F72."""
    with pytest.raises(SignatureWrongError):
        checked(password=password)


def test_no_password_is_refused() -> None:
    with pytest.raises(SignatureMissingError):
        checked(password="")
    with pytest.raises(SecretMissingError):
        checked(secrets=())


def test_nobody_can_use_up_the_id_of_an_event_to_come() -> None:
    """F72: its body is signed by nothing, so its id must be nobody's to choose."""
    lie = raw(flutterwave_event(status="FAILED"))
    assert checked(lie).event_id != checked().event_id
    assert checked(lie).event_id.startswith("transfer.completed:33286:")


@pytest.mark.parametrize(
    ("data", "entity"),
    [({"id": None, "tx_ref": "ref-1"}, "ref-1"), ({"id": True}, None), ({"id": "trf_1"}, "trf_1")],
)
def test_what_it_is_about_is_found_where_it_may_stand(
    data: dict[str, object], entity: str | None
) -> None:
    assert checked(raw(flutterwave_event(**data))).entity == entity


def test_what_is_no_event_is_refused() -> None:
    with pytest.raises(EventUnreadableError):
        checked(b"[]")
