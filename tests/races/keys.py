"""Races about keys: whoever asks twice at once is answered once, and what is pruned meanwhile is not done again."""

from collections.abc import Sequence
from typing import Any, Final

from db import idempotency, prune
from db.bookings.start import start_checkout
from db.idempotency import Key
from db.tx import Tx
from domain.booking_errors import KeyReusedError, SoldOutError
from domain.checkouts import SCOPE
from tests.booking import appointment, ask, begin, cancel, customer, plan
from tests.builders import change, owner, rows
from tests.races.explorer import Act, Race
from tests.races.sides import Side
from tests.races.stage import Stage

HASH: Final = "ab" * 32
OTHER_HASH: Final = "cd" * 32
BATCH: Final = 100
KEPT: Final = "SELECT reply FROM idempotency_keys"
AGED: Final = """
    WITH kept AS (DELETE FROM idempotency_keys RETURNING *)
    INSERT INTO idempotency_keys
    SELECT application, actor, key, request_hash, reply, clock_timestamp() - interval '31 days' FROM kept"""


def open_place(stage: Stage) -> Any:  # noqa: ANN401 - what is given
    """A customer, and a webinar with places."""
    webinar = plan(stage.operator)
    return customer(stage.operator), webinar, appointment(stage.operator, webinar, capacity=5)


def last_place(stage: Stage) -> Any:  # noqa: ANN401 - what is given
    """A customer, and a webinar whose one place another holds, who is about to give it up."""
    webinar, other = plan(stage.operator), customer(stage.operator)
    at = appointment(stage.operator, webinar)
    held = begin(stage.operator, of=other, plan=webinar, at=at)
    return customer(stage.operator), webinar, at, other, held


def asks(said: str = HASH, *, places: int = 1) -> Act:
    """An application begins a checkout under its key, as the door does; returns what it was answered."""

    def act(stage: Stage) -> object:
        who, webinar, at = stage.given[:3]
        request, wanted = ask(of=who, plan=webinar, at=at, places=places)
        key = Key(application="shop", actor=who, key=request.key)

        def once(tx: Tx) -> object:
            def work() -> str:
                made = start_checkout(tx, request, wanted)
                return f'{{"payment": "{made.payment}"}}'

            return idempotency.once(tx, key, said, work)

        return stage.worker.transact(once)

    return act


def asked_long_ago(stage: Stage) -> Any:  # noqa: ANN401 - what is given
    """The same, asked and answered a month ago."""
    stage.given = open_place(stage)
    asks()(stage)
    with owner(stage.url) as database:
        assert change(database, AGED) == 1
    return stage.given


def prunes(stage: Stage) -> int:
    """Answers that were kept for thirty days go."""
    return stage.worker.transact(lambda tx: prune.idempotency_keys(tx, BATCH))


def gives_up(stage: Stage) -> str:
    """Whoever has the place gives it up."""
    other, held = stage.given[3:]
    cancel(stage.worker, other, held.payment)
    return "given up"


def one_answer(stage: Stage, sides: Sequence[Side]) -> None:
    """Done once, kept once, and both are answered alike."""
    first, second = (side.result for side in sides)
    assert first == second == rows(stage.worker, KEPT)[0].reply
    assert len(rows(stage.worker, "SELECT FROM payments")) == 1


def one_request(stage: Stage, sides: Sequence[Side]) -> None:
    """Of two requests under one key one is done; the other is told that the key is taken."""
    [told] = [side.result for side in sides if side.error is None]
    assert told == rows(stage.worker, KEPT)[0].reply
    assert [isinstance(side.error, KeyReusedError) for side in sides].count(True) == 1
    assert len(rows(stage.worker, "SELECT FROM payments")) == 1


def kept_if_done(stage: Stage, sides: Sequence[Side]) -> None:
    """What was refused is kept nowhere, so that the same may be asked again; what was done is."""
    kept = rows(stage.worker, KEPT)
    if sides[0].error is None:
        assert [row.reply for row in kept] == [sides[0].result]
    else:
        assert kept == []
        assert asks()(stage) == rows(stage.worker, KEPT)[0].reply


def one_payment(stage: Stage, sides: Sequence[Side]) -> None:
    """A kept answer may go; a checkout is the same payment for ever."""
    [payment] = rows(stage.worker, "SELECT scope, CAST(id AS text) AS id FROM payments")
    assert (payment.scope, sides[0].result) == (SCOPE, {"payment": payment.id})
    assert sides[1].result == 1
    assert len(rows(stage.worker, KEPT)) <= 1


ALL: Final = (
    Race(name="once/once", prepare=open_place, sides=(asks(), asks()), check=one_answer),
    Race(
        name="once/once-otherwise",
        prepare=open_place,
        sides=(asks(), asks(OTHER_HASH, places=2)),
        check=one_request,
        errors=(KeyReusedError,),
    ),
    Race(
        name="once/refused",
        prepare=last_place,
        sides=(asks(), gives_up),
        check=kept_if_done,
        errors=(SoldOutError,),
    ),
    Race(
        name="once/prune",
        prepare=asked_long_ago,
        sides=(asks(), prunes),
        check=one_payment,
    ),
)
"""Every race about keys of operations."""
