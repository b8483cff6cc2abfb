"""Who offers what is measured: one consultant with one plan."""

from typing import Final

import sqlalchemy as sa

from db.tx import Tx

_HOST: Final = (
    """WITH account AS (
         INSERT INTO accounts (kind, owner, currency, normal, stripes, bounded)
         VALUES ('payee_payable', CAST(CAST(md5('host') AS uuid) AS text), 'INR', 'C', 1, true) RETURNING id),
       balance AS (INSERT INTO balances (account, stripe, floor) SELECT id, 0, 'C' FROM account)
       INSERT INTO payees (id, name, payable) SELECT CAST(md5('host') AS uuid), 'host', id FROM account""",
    "INSERT INTO consultants (payee) VALUES (CAST(md5('host') AS uuid))",
    """INSERT INTO plans (id, external_id, consultant, kind, title, price, currency, minutes)
       VALUES (CAST(md5('plan') AS uuid), 'plan', CAST(md5('host') AS uuid), :kind, 'Tea', 1000, 'INR', 60)""",
)


def host(tx: Tx, kind: str) -> None:
    """Make the consultant `host` and their plan `plan`, of the given kind."""
    run_all(tx, _HOST, kind=kind)


def run_all(tx: Tx, statements: tuple[str, ...], **given: object) -> None:
    """Run statements one after another, each with what it asks for of `given`."""
    for statement in statements:
        named = {name: value for name, value in given.items() if f":{name}" in statement}
        tx.run(sa.text(statement), **named)
