"""Damage done to a database behind the product's back, for proofs to find."""

import sqlalchemy as sa


def spoil(url: str, statement: str) -> None:
    """Change what nobody may change."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("SET search_path = bursar"))
        connection.execute(sa.text("SET session_replication_role = replica"))
        connection.execute(sa.text(statement))
    engine.dispose()
