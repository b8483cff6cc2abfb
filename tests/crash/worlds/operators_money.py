"""Operators let payouts go now, say where payees are told, bring credits in by two, and prove what failed elsewhere."""

from typing import Final

import sqlalchemy as sa

from db import installation, proposals
from db.importing.order import Lines
from db.payees.accounts import set_account
from db.payees.setting import set_address
from db.payees.words import AccountWords
from db.payouts import proving
from db.payouts.decide import decide
from db.payouts.overdue import pull_forward
from db.wallets import imports
from domain.answers import Found
from domain.decisions import Decision
from domain.errors import RefusedError
from domain.payouts import SENDERS
from tests.builders import change, rows, seed, states
from tests.earning import know, payee
from tests.keeping import credit, held
from tests.kit.world import BATCH, Scene, World
from tests.opening import opening, sent_there, taken

PAID: Final = """
    SELECT y.id, y.name, a.fund_account_id FROM payees y JOIN payout_accounts a ON a.payee = y.id ORDER BY y.id"""
PROPOSED: Final = sa.text("SELECT id FROM proposals WHERE approved_at IS NULL")


class Sent(World):
    """What waits for its time goes now, once."""

    job = "payouts send"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, BATCH)
        change(scene.owner, "UPDATE work SET due_at = clock_timestamp() + interval '6 days'")

    def act(self, scene: Scene) -> None:
        with scene.operator.begin() as tx:
            ids = [row.id for row in rows(scene.owner, "SELECT id FROM payouts ORDER BY id")]
            pull_forward(tx, ids, list(SENDERS.values()))

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        assert len(scene.bank.transfers) == BATCH


class Addressed(World):
    """Where a payee is told and paid stands as it was said last, and who said it."""

    job = "payees set"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        know(scene.operator, [payee(f"payee {n}") for n in range(BATCH)])

    def act(self, scene: Scene) -> None:
        with scene.operator.begin() as tx:
            for row in rows(scene.owner, PAID):
                set_address(tx, row.id, "mira@example.org", actor="asha", why="asked by phone")
                closed = AccountWords(fund_account_id=row.fund_account_id, is_active=False)
                set_account(tx, (row.id, row.name), closed, actor="asha", why="her bank wrote")

    def check(self, scene: Scene) -> None:
        told = rows(scene.owner, "SELECT email FROM payees")
        assert [row.email for row in told] == ["mira@example.org"] * BATCH
        assert (
            rows(scene.owner, "SELECT FROM payout_accounts WHERE active OR said_by IS NULL") == []
        )
        assert {row.who for row in rows(scene.owner, "SELECT who FROM changes")} == {"asha"}


class CreditedByTwo(World):
    """One proposes, another brings the file: credited once, and approved with that or not at all."""

    job = "import wallets"
    variant = "by two"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        know(scene.operator, [payee(f"payee {n}") for n in range(BATCH)])

    def act(self, scene: Scene) -> None:
        file = Lines(
            lines=[credit(f"W-{n}", payee=f"payee {n}") for n in range(BATCH)], file="wallets.csv"
        )
        try:
            with scene.operator.begin() as tx:
                proposals.propose(tx, "wallets.credit", "file", {}, by="asha", why="of May")
        except RefusedError:
            """It is proposed already."""
        with scene.operator.begin() as tx:
            [made] = tx.rows(PROPOSED)
            proposals.approve(tx, made.id, by="ravi")
            imports.take_over(tx, installation.get(tx).id, file, actor="asha, ravi")
            proposals.finish(tx, made.id, f"{BATCH} credited")

    def check(self, scene: Scene) -> None:
        assert held(scene.owner) == {f"payee {n}": 100_000 for n in range(BATCH)}
        assert len(rows(scene.owner, "SELECT FROM entries")) == BATCH
        agreed = rows(scene.owner, "SELECT outcome FROM proposals WHERE approved_at IS NOT NULL")
        assert f"{BATCH} credited" in {row.outcome for row in agreed}


class Proven(World):
    """What its provider has is settled and never sent again; what it has not is proven, and sent once under our key."""

    job = "payouts retry"
    variant = "another system's"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        lines = [opening(f"A-{n}", "FAILED", reference=f"OLD-{n}") for n in range(BATCH)]
        sent_there(scene.bank, lines[0], "processed")
        taken(scene.operator, lines, scene.bank)

    def act(self, scene: Scene) -> None:
        ids = [row.id for row in rows(scene.owner, "SELECT id FROM payouts ORDER BY external_id")]
        with scene.operator.begin() as tx:
            asked = proving.unproven(tx, ids)
        found = {one.payout: scene.bank.find(one.reference) for one in asked}
        paid = {
            id_: told.payouts[0]
            for id_, told in found.items()
            if isinstance(told, Found) and told.payouts
        }
        with scene.operator.begin() as tx:
            proving.were_not_paid(tx, [(one, None) for one in asked if one.payout not in paid])
            proving.adopt(tx, paid, actor="asha")
        with scene.operator.begin() as tx:
            decide(tx, Decision.RETRY, ids, actor="asha", why="looked it up")

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        assert len(scene.bank.submits) == BATCH - 1
        absent = rows(
            scene.owner, "SELECT DISTINCT key FROM effect_answers WHERE answer = 'absent'"
        )
        assert len(absent) == BATCH - 1


WORLDS: Final = (Sent(), Addressed(), CreditedByTwo(), Proven())
