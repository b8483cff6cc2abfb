"""`POST /v1/<family>/<operation>`: what each answer is for, whoever asks, and however often."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import UUID, uuid4

import pytest

from db import prune
from db.engine import Database, DatabaseOptions
from tests.booking import (
    appointment,
    begin,
    consultant,
    customer,
    pay,
    plan,
)
from tests.builders import change, rows
from tests.workers.web.calling import TOKEN, Shop, Unlimited, admit, code, shop
from workers.web.limits import Limiter
from workers.web.operations.catalog import ALL

START: Final = "bookings.start_checkout"
CANCEL: Final = "bookings.cancel_pending_checkout"
RESCHEDULE: Final = "bookings.reschedule"
REMOVE: Final = "bookings.remove_participant"
PARTICIPANTS: Final = "bookings.participants"
FREE: Final = "bookings.free_times"
OPEN: Final = "bookings.open_appointments"
AGED: Final = """
    WITH kept AS (DELETE FROM idempotency_keys RETURNING *)
    INSERT INTO idempotency_keys
    SELECT application, actor, key, request_hash, reply, clock_timestamp() - make_interval(days => :days) FROM kept"""


def test_the_same_key_is_the_same_answer_and_nothing_is_done_twice(
    asker: Shop, operator: Database, database: Database
) -> None:
    """Also once things went on: what was answered is what is answered."""
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar, capacity=5)
    asked = {"actor": who, "plan": webinar, "appointment": at}
    first = asker.ask(START, "k", **asked)
    pay(database, UUID(first.json()["payment"]))
    again = asker.send(START, json.dumps(dict(reversed(asked.items())), default=str).encode(), "k")
    assert (again.status_code, again.content) == (200, first.content)
    assert len(rows(database, "SELECT FROM payments")) == 1


@pytest.mark.parametrize("places", [1, 2])
def test_the_same_key_with_another_request_is_refused(
    asker: Shop, operator: Database, database: Database, places: int
) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar, capacity=5)
    made = asker.ask(START, "k", actor=who, plan=webinar, appointment=at).json()
    if places == 1:
        other = asker.ask(CANCEL, "k", actor=who, payment=made["payment"])
    else:
        other = asker.ask(START, "k", actor=who, plan=webinar, appointment=at, places=places)
    assert code(other) == (409, "key_reused")
    assert len(rows(database, "SELECT FROM payments WHERE state = 'PENDING'")) == 1


def test_a_key_is_its_actors_and_its_applications_own(
    asker: Shop, operator: Database, database: Database
) -> None:
    webinar = plan(operator)
    at = appointment(operator, webinar, capacity=5)
    admit(operator, "office", "o" * 40)
    office = Shop(http=asker.http, token="o" * 40)
    who = customer(operator)
    for one, actor in ((asker, who), (asker, customer(operator)), (office, who)):
        assert one.ask(START, "k", actor=actor, plan=webinar, appointment=at).status_code == 200
    assert len(rows(database, "SELECT FROM payments")) == 3


def test_a_storm_under_one_key_is_one_checkout(
    asker: Shop, operator: Database, database: Database
) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar, capacity=50)
    with ThreadPoolExecutor(12) as pool:
        answers = list(
            pool.map(
                lambda _: asker.ask(START, "k", actor=who, plan=webinar, appointment=at), range(12)
            )
        )
    assert {(a.status_code, a.content) for a in answers} == {(200, answers[0].content)}
    assert len(rows(database, "SELECT FROM payments")) == 1


def test_what_was_refused_may_be_tried_again_under_its_key(
    asker: Shop, operator: Database, database: Database
) -> None:
    webinar, who, other = plan(operator), customer(operator), customer(operator)
    at = appointment(operator, webinar)
    held = begin(database, of=other, plan=webinar, at=at)
    asked = {"actor": who, "plan": webinar, "appointment": at}
    assert code(asker.ask(START, "k", **asked)) == (409, "sold_out")
    assert asker.ask(CANCEL, actor=other, payment=held.payment).status_code == 200
    assert asker.ask(START, "k", **asked).status_code == 200


def test_a_kept_answer_goes_after_thirty_days_and_the_checkout_stays_one(
    asker: Shop, operator: Database, database: Database
) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar, capacity=5)
    asked = {"actor": who, "plan": webinar, "appointment": at}
    first = asker.ask(START, "k", **asked).json()
    for days, gone in ((29, 0), (31, 1)):
        change(database, AGED, days=days)
        with database.begin() as tx:
            assert prune.idempotency_keys(tx, 10) == gone
    assert asker.ask(START, "k", **asked).json()["payment"] == first["payment"]
    assert len(rows(database, "SELECT FROM payments")) == 1


def test_with_redis_away_this_process_counts_by_itself_and_says_so(
    operator: Database, database: Database
) -> None:
    fallbacks: list[int] = []
    limiter = Limiter("redis://127.0.0.1:1", fell_back=lambda: fallbacks.append(1))
    with shop(database, limiter) as asker:
        who = customer(operator)
        answers = [asker.ask(CANCEL, actor=who, payment=uuid4()) for _ in range(11)]
    limiter.close()
    assert [a.status_code for a in answers] == [404] * 10 + [429]
    assert len(fallbacks) == 11


def test_each_limit_has_a_bucket_of_its_own_and_each_actor_too(
    counted: Shop, operator: Database
) -> None:
    webinar, whose = plan(operator), consultant(operator)
    who, nobody = customer(operator), uuid4()
    calls = {
        START: (5, {"actor": who, "plan": nobody, "appointment": nobody}),
        CANCEL: (10, {"actor": who, "payment": nobody}),
        OPEN: (30, {"actor": who, "plan": webinar}),
        REMOVE: (10, {"actor": whose.id, "appointment": nobody, "customer": who}),
        PARTICIPANTS: (30, {"actor": whose.id, "appointment": nobody}),
    }
    for operation, (most, body) in calls.items():
        statuses = [counted.ask(operation, **body).status_code for _ in range(most + 1)]
        assert 429 not in statuses[:most], operation
        assert statuses[-1] == 429, operation
    other = customer(operator)
    assert counted.ask(OPEN, actor=other, plan=webinar).status_code == 200


def test_a_database_that_is_away_is_503_and_nothing_more() -> None:
    away = Database(DatabaseOptions(url="postgresql://u@127.0.0.1:1/x"))
    try:
        with shop(away, Unlimited()) as asker:
            answer = asker.ask(CANCEL, actor=uuid4(), payment=uuid4())
    finally:
        away.dispose()
    assert code(answer) == (503, "unavailable")


def test_an_application_asks_only_for_what_it_was_let_in_for(
    asker: Shop, operator: Database
) -> None:
    admit(operator, "desk", "d" * 40, PARTICIPANTS)
    desk = Shop(http=asker.http, token="d" * 40)
    for operation in ALL:
        if operation.name != PARTICIPANTS:
            assert code(desk.send(operation.name, b"{")) == (403, "forbidden")
    assert code(desk.ask(PARTICIPANTS, actor=uuid4(), appointment=uuid4())) == (404, "not_found")


ID: Final = "6f1c0b1e-4f0e-4a53-9d0b-6f0a8c1d2e31"
BAD: Final = [
    (CANCEL, b"", "body"),
    (CANCEL, b"{", "body"),
    (CANCEL, b"\xff", "body"),
    (CANCEL, b"[]", "body"),
    (CANCEL, b"[" * 60_000, "body"),
    (CANCEL, b'{"payment": "%s"}' % ID.encode(), "actor"),
    (CANCEL, b'{"actor": " ", "payment": "%s"}' % ID.encode(), "actor"),
    (CANCEL, b'{"actor": "a\\u0000", "payment": "%s"}' % ID.encode(), "actor"),
    (CANCEL, b'{"actor": "\\ud800", "payment": "%s"}' % ID.encode(), "body"),
    (CANCEL, b'{"actor": 7, "payment": "%s"}' % ID.encode(), "actor"),
    (CANCEL, b'{"actor": "%s", "payment": "%s"}' % (b"x" * 201, ID.encode()), "actor"),
    (CANCEL, b'{"actor": "a", "payment": "7"}', "payment"),
    (CANCEL, b'{"actor": "a", "payment": "%s", "force": true}' % ID.encode(), "force"),
    (START, b'{"actor": "a", "plan": "p", "places": 0}', "places"),
    (START, b'{"actor": "a", "plan": "p", "places": 1.0}', "places"),
    (START, b'{"actor": "a", "plan": "p", "places": "1"}', "places"),
    (START, b'{"actor": "a", "plan": "p", "wallet_minor": -1}', "wallet_minor"),
    (START, b'{"actor": "a", "plan": "p", "credit_minor": 1e400}', "credit_minor"),
    (START, b'{"actor": "a", "plan": "p", "starts": ["2031-03-05T12:00:00"]}', "starts.0"),
    (START, b'{"actor": "a", "plan": "p", "starts": ["9999-12-31T23:59:59Z"]}', "starts.0"),
    (START, b'{"actor": "a", "plan": "p", "starts": ["0001-01-01T00:00:00+14:00"]}', "starts.0"),
    (FREE, b'{"actor": "a", "plan": "p", "candidates": []}', "candidates"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "body", "named"), BAD)
def test_a_bad_body_is_told_its_field_value_and_rule(
    asker: Shop, operation: str, body: bytes, named: str
) -> None:
    answer = asker.send(operation, body)
    assert code(answer) == (422, "bad_input")
    assert answer.json()["error"]["field"] == named
    assert answer.json()["error"]["rule"]


@pytest.mark.parametrize("key", [None, "", "x" * 201])
def test_what_changes_something_needs_a_key(
    asker: Shop, operator: Database, key: str | None
) -> None:
    who = customer(operator)
    body = json.dumps({"actor": who, "payment": uuid4()}, default=str).encode()
    answer = asker.send(CANCEL, body, key)
    assert code(answer) == (422, "bad_input")
    assert answer.json()["error"]["field"] == "Idempotency-Key"
    look = json.dumps({"actor": who, "plan": plan(operator)}, default=str).encode()
    assert asker.send(OPEN, look, None).status_code == 200


def test_every_operation_is_asked_by_post_alone(asker: Shop) -> None:
    for operation in ALL:
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            assert asker.http.request(method, operation.path).status_code == 405


def test_no_token_is_answered_or_kept(asker: Shop, operator: Database, database: Database) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar)
    answer = asker.ask(START, actor=who, plan=webinar, appointment=at)
    kept = rows(database, "SELECT CAST(k AS text) AS row FROM idempotency_keys k")
    assert len(kept) == 1
    assert TOKEN not in answer.text + kept[0].row
