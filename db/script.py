"""Run a file of several SQL statements as it is written."""

import sqlalchemy as sa


def run_script(connection: sa.Connection, text: str) -> None:
    """Run `text` in the connection's transaction, unchanged: no placeholders, several statements."""
    driver = connection.connection.driver_connection
    if driver is None:
        raise AssertionError("an open connection has a driver connection")
    driver.execute(text)
