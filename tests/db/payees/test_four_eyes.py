"""Under `policy:maker-checker` the database lets nobody make an account payable alone, whoever writes it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from db import proposals, switches
from db.clock import now
from db.engine import Database
from db.errors import RuleBrokenError
from db.payees.imports import lock_imports
from db.tx import Tx
from domain.switches import MAKER_CHECKER
from tests.builders import WAITS_FOR_A_LOCK, owner, rows
from tests.earning import know, payee
from tests.operating import change, opened, query
from tests.waiting import eventually
from workers.cli import vouching
from workers.cli.actions import Agreed

RULE = "accounts_are_made_payable_by_two"
SUBJECT = "fa_Asha of Asha"


def check_makers(database: Database, *, on: bool = True) -> None:
    with database.begin() as tx:
        switches.turn(tx, MAKER_CHECKER, on=on, who="ravi", why="policy 7")


SET = "UPDATE payout_accounts SET {column} = true"
NEW = """
    INSERT INTO payout_accounts (id, payee, fund_account_id, {column})
    SELECT gen_random_uuid(), id, 'fa_2', true FROM payees"""


def test_no_statement_lets_more_in_than_two_people_did(database_url: str) -> None:
    """TRAP: `verified` is a column like others to whoever writes SQL."""
    with opened(database_url) as operator:
        know(operator, [payee("Asha", verified=False, default=False)])
        change(operator, "UPDATE payout_accounts SET active = false")
        check_makers(operator)
        let_in = [
            *(SET.format(column=column) for column in ("verified", "active", "is_default")),
            *(NEW.format(column=column) for column in ("verified", "is_default")),
        ]
        for statement in let_in:
            with pytest.raises(RuleBrokenError) as refused:
                change(operator, statement)
            assert refused.value.constraint == RULE
        check_makers(operator, on=False)
        assert [change(operator, statement) for statement in let_in[:4]] == [1] * 4


def test_a_proposal_that_is_over_lets_nothing_more_in(database_url: str) -> None:
    """TRAP: one that is approved and has no outcome yet is being carried out; its outcome could be wiped."""
    with opened(database_url) as operator:
        know(operator, [payee("Asha", verified=False, default=False)])
        check_makers(operator)
        with operator.begin() as tx:
            number = proposals.propose(tx, "payees.import", "file", {}, by="asha", why="week 1")
            proposals.approve(tx, number, by="ravi")
            proposals.finish(tx, number, "1 imported")
        for statement in (
            "UPDATE proposals SET outcome = NULL",
            "UPDATE proposals SET subject = 'another'",
            "UPDATE proposals SET approved_by = 'noor'",
        ):
            with pytest.raises(RuleBrokenError) as refused:
                change(operator, statement)
            assert refused.value.constraint == "append_only"


def test_tables_of_ones_own_say_nothing_of_the_policy(database_url: str) -> None:
    """TRAP: a trigger reads what the session's search path names first."""
    with opened(database_url) as operator:
        know(operator, [payee("Asha", verified=False, default=False)])
        check_makers(operator)

        def work(tx: Tx) -> None:
            tx.run(sa.text("CREATE TEMPORARY TABLE switches (name text, is_on boolean)"))
            tx.run(sa.text(f'SET LOCAL search_path = pg_temp, "{operator.options.schema}"'))
            tx.run(sa.text("UPDATE payout_accounts SET verified = true"))

        with pytest.raises(RuleBrokenError) as refused:
            operator.transact(work)
        assert refused.value.constraint == RULE


def test_an_approval_waits_for_an_import_before_it_holds_anything_of_a_payee(
    database_url: str,
) -> None:
    """TRAP: an import holds the import lock, compares, and then locks payees: the other way round, a deadlock."""

    def approve() -> str:
        with operator.begin() as tx:
            agreed = Agreed(
                subject=SUBJECT,
                details={"verified": "yes"},
                both="asha, ravi",
                why="proven",
                proposed_at=now(tx),
            )
            return vouching.say(tx, agreed)

    with (
        opened(database_url) as operator,
        owner(database_url) as outside,
        ThreadPoolExecutor(1) as pool,
    ):
        know(operator, [payee("Asha", verified=False, default=False)])
        with operator.begin() as tx:
            lock_imports(tx)
            said = pool.submit(approve)
            eventually(lambda: rows(outside, WAITS_FOR_A_LOCK), what="the approval")
            assert tx.rows(sa.text("SELECT id FROM payees FOR UPDATE NOWAIT"))
        assert said.result() == f"account {SUBJECT} is verified"


def test_one_person_closes_an_account_and_says_what_lets_nothing_in(database_url: str) -> None:
    with opened(database_url) as operator:
        know(operator, [payee("Asha")])
        check_makers(operator)
        know(operator, [payee("Asha", fund_account_id="fa_2", verified=False, default=False)])
        closed = "UPDATE payout_accounts SET verified = false, active = false, is_default = false"
        assert change(operator, closed) == 2
        with pytest.raises(RuleBrokenError):
            know(operator, [payee("Bela")])


@pytest.mark.parametrize(
    ("action", "subject", "is_enough"),
    [
        ("payee.account", SUBJECT, True),
        ("payees.import", "a file", True),
        ("payee.account", "fa_other of Asha", False),
        ("payout.retry", SUBJECT, False),
    ],
)
def test_what_two_people_agree_on_holds_while_it_is_carried_out(
    database_url: str, *, action: str, subject: str, is_enough: bool
) -> None:
    """Afterwards it lets nothing more in."""
    verify = "UPDATE payout_accounts SET verified = true"

    def carry_out() -> None:
        with operator.begin() as tx:
            proposals.approve(tx, made, by="ravi")
            tx.run(sa.text(verify))
            proposals.finish(tx, made, "done")

    with opened(database_url) as operator:
        know(operator, [payee("Asha", verified=False)])
        check_makers(operator)
        with operator.begin() as tx:
            made = proposals.propose(tx, action, subject, {}, by="asha", why="proven")
        if not is_enough:
            with pytest.raises(RuleBrokenError):
                carry_out()
            return
        carry_out()
        assert [
            row.verified for row in query(operator, "SELECT verified FROM payout_accounts")
        ] == [True]
        change(operator, "UPDATE payout_accounts SET verified = false")
        with pytest.raises(RuleBrokenError):
            change(operator, verify)
