"""Effects: intended before they are tried, frozen, counted, and never tried again once they are known."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db import effects, transitions, work
from db.effects import Intent, Outcome, Sendable
from db.engine import Database
from db.errors import RuleBrokenError
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder, Held
from domain.effects import EffectState
from tests.builders import add_work, expire, rows, worker

JOB = "payouts.process"
KIND = "payout.submit"


@pytest.fixture(params=[("none", 6), ("transaction", 1)], ids=["direct", "pooled"])
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    """A worker's database, directly, and as behind a pooler with one connection."""
    pooler, pool_max = request.param
    with worker(database_url, pooler=pooler, pool_max=pool_max) as made:
        yield made


def claimed(tx: Tx) -> LeasedTx:
    return transitions.claim(tx, JOB, ClaimOrder(run=1, limit=100, lease_seconds=15))


def intend(database: Database, key: UUID, request: str = '{"n": 1}') -> list[Sendable | None]:
    """Claim the one row again, and commit to one more send."""
    expire(database)
    with database.begin() as tx:
        leased = claimed(tx)
        intents = [
            Intent(key=key, subject=subject, generation=1, request=request)
            for subject in leased.held
        ]
        return effects.intend(leased, intents, kind=KIND, provider="p", account="a")


def intended(database: Database, key: UUID, request: str = '{"n": 1}') -> list[Sendable]:
    """Claim the one row again, and commit to one more send that may begin."""
    return [effect for effect in intend(database, key, request) if effect]


def answer(database: Database, key: UUID, state: EffectState | None, **more: object) -> None:
    with database.begin() as tx:
        held = [
            work.Held._make((JOB, r.subject, r.token, r.claims, r.tries, r.waiting_since))
            for r in tx.rows(
                sa.text("SELECT subject, token, claims, tries, waiting_since FROM work")
            )
        ]
        leased = transitions.regain(tx, held, run=1)
        outcome = Outcome(key=key, answer="said", state=state, **more)  # type: ignore[arg-type]  # by name
        effects.answered(leased, [(held[0].subject, outcome)])


def effect(database: Database, key: UUID) -> sa.Row[tuple[object, ...]]:
    return rows(
        database, "SELECT *, CAST(request AS text) AS body FROM effects WHERE key = :k", k=key
    )[0]


@pytest.fixture
def key(database: Database) -> UUID:
    add_work(database, JOB, 1)
    return uuid4()


def test_a_new_effect_is_committed_with_its_request_before_any_send(
    database: Database, key: UUID
) -> None:
    [sendable] = intended(database, key, '{"b": 1,  "a": "\\u20b9"}')
    found = effect(database, key)
    assert (sendable.request, found.body) == ('{"b": 1,  "a": "\\u20b9"}',) * 2
    assert (found.state, found.sends, sendable.sends) == ("intended", 1, 1)


def test_each_claim_counts_a_send_and_replays_the_frozen_bytes(
    database: Database, key: UUID
) -> None:
    """F03, invariant 4: whatever the body would be now."""
    frozen = '{"b": 1,  "a": [ ]}'
    assert intended(database, key, frozen)[0].request == frozen
    for sends in (2, 3):
        [sendable] = intended(database, key, f'{{"other": {sends}}}')
        assert (sendable.request, sendable.sends) == (frozen, sends)
    assert effect(database, key).body == frozen


def test_what_was_released_is_replayed_as_frozen_too(database: Database, key: UUID) -> None:
    """Invariant 4: a send taken back leaves its request; the next claim must not make another."""
    frozen = '{"n": 1}'
    intend(database, key, frozen)
    expire(database)
    with database.begin() as tx:
        assert effects.unsend(claimed(tx), [key]) == 1
    assert effect(database, key).sends == 0
    [sendable] = intended(database, key, '{"n": 2}')
    assert (sendable.request, sendable.sends) == (frozen, 1)


def test_sends_never_fall_below_zero(database: Database, key: UUID) -> None:
    intend(database, key)
    expire(database)
    with database.begin() as tx:
        leased = claimed(tx)
        assert effects.unsend(leased, [key]) == 1
        assert effects.unsend(leased, [key]) == 0


def test_not_sent_counts_a_put_back_and_takes_its_send_back(database: Database, key: UUID) -> None:
    for times in (1, 2):
        intend(database, key)
        answer(database, key, EffectState.NOT_SENT, sends=-1, detail="refused connection")
        found = effect(database, key)
        assert (found.state, found.sends, found.put_backs) == ("not_sent", 0, times)


@pytest.mark.parametrize("state", [EffectState.ACCEPTED, EffectState.REJECTED])
def test_what_is_known_is_never_intended_again(
    database: Database, key: UUID, state: EffectState
) -> None:
    """I4, invariant 6: nothing may be sent for it."""
    intend(database, key)
    answer(database, key, state, provider_id="pout_1")
    before = effect(database, key)
    assert intend(database, key) == [None]
    assert effect(database, key) == before


def test_an_unknown_effect_stays_unknown_while_it_is_sent_again(
    database: Database, key: UUID
) -> None:
    """Killed in the middle of it, the row must still say that nobody knows."""
    intend(database, key)
    answer(database, key, EffectState.UNKNOWN, detail="timed out")
    [sendable] = intended(database, key)
    assert (sendable.sends, effect(database, key).state) == (2, "unknown")


def test_an_answer_without_a_state_is_kept_and_changes_nothing(
    database: Database, key: UUID
) -> None:
    intend(database, key)
    answer(database, key, None, status="queued")
    assert (effect(database, key).state, effect(database, key).status) == ("intended", "queued")


def test_the_keys_window_begins_with_the_first_real_send(database: Database, key: UUID) -> None:
    """F65: a put-back or a release does not use it up; a send that may have begun does."""
    intend(database, key)
    first = effect(database, key).first_sent_at
    intend(database, key)
    assert effect(database, key).first_sent_at == first
    answer(database, key, EffectState.NOT_SENT, sends=-2)
    intend(database, key)
    assert effect(database, key).first_sent_at > first


def test_every_answer_is_kept_and_none_can_be_changed(database_url: str) -> None:
    """Invariant 45, F62: append-only evidence, of the late answers too."""
    with worker(database_url) as database:
        add_work(database, JOB, 1)
        key = uuid4()
        intend(database, key)
        answer(database, key, EffectState.UNKNOWN, detail="timed out")
        with database.begin() as tx:
            effects.keep_evidence(tx, [(key, "accepted", "pout_1 processing")], run=9)
            kept = effects.answers(tx, key)
        assert [(a.answer, a.moved) for a in kept] == [("said", True), ("accepted", False)]
    engine = sa.create_engine(database_url, poolclass=sa.pool.NullPool)
    for change in (
        "UPDATE bursar.effect_answers SET moved = true",
        "DELETE FROM bursar.effect_answers",
    ):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(sa.text(change))


def test_two_effects_never_claim_the_same_payment(database: Database) -> None:
    """F62: unique by provider, account and the provider's id."""
    add_work(database, JOB, 1)
    for number in range(2):
        key = uuid4()
        intend(database, key)
        if number:
            with pytest.raises(RuleBrokenError) as refused:
                answer(database, key, EffectState.ACCEPTED, provider_id="pout_1")
            assert refused.value.constraint == "effects_one_per_payment"
        else:
            answer(database, key, EffectState.ACCEPTED, provider_id="pout_1")


def test_the_evidence_of_a_settle_is_the_answer_under_its_token(
    database: Database, key: UUID
) -> None:
    """F17: after a commit in doubt."""
    [sendable] = intended(database, key)
    [row] = rows(database, "SELECT * FROM work")
    held = Held(JOB, row.subject, row.token, row.claims, row.tries, row.waiting_since)
    with database.begin() as tx:
        assert effects.settled_under(tx, {key: held}) == set()
    answer(database, key, EffectState.ACCEPTED, provider_id="pout_1")
    with database.begin() as tx:
        assert effects.settled_under(tx, {sendable.key: held}) == {row.subject}
        assert effects.settled_under(tx, {key: held._replace(token=held.token - 1)}) == set()
