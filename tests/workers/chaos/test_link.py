"""The way between the system and its servers does each harm it is asked for, and no other."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.servers import Cluster
from workers.chaos.link import Link
from workers.embedded.postgres import SOCKET_NAME


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that says again what it hears."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_answer, args=(near,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _answer(near: socket.socket) -> None:
    with near:
        try:
            while data := near.recv(1000):
                near.sendall(data)
        except OSError:
            return


def _connected(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=10)


def call(link: Link) -> socket.socket:
    made = _connected(link)
    made.sendall(b"hello")
    assert made.recv(100) == b"hello"
    return made


def test_it_passes_on_and_a_drop_resets_everybody(echo: int) -> None:
    with Link(echo) as link, closing(call(link)) as first, closing(call(link)) as second:
        assert link.drop() == 2
        for one in (first, second):
            with pytest.raises(ConnectionResetError):
                one.recv(1)
        call(link).close()


def test_a_stalled_link_delivers_once_it_is_healed(echo: int) -> None:
    with Link(echo) as link, closing(call(link)) as one:
        link.stall()
        one.sendall(b"late")
        one.settimeout(0.2)
        with pytest.raises(TimeoutError):
            one.recv(100)
        link.heal()
        one.settimeout(10)
        assert one.recv(100) == b"late"


def test_of_a_half_closed_one_nothing_comes_back(echo: int) -> None:
    with Link(echo) as link, closing(call(link)) as one:
        assert link.half_close() == 1
        assert one.recv(100) == b""
        one.sendall(b"still arrives")


def test_a_refusing_link_takes_nobody_until_it_is_healed(echo: int) -> None:
    with Link(echo) as link:
        link.refuse()
        with suppress(ConnectionResetError), closing(_connected(link)) as one:
            assert one.recv(1) == b""
        link.heal()
        call(link).close()


def test_a_commit_cut_on_its_reply_has_happened(own_servers: Cluster) -> None:
    """F17: the client sees an error, the server has the row."""
    with Link(own_servers.pair.sockets / SOCKET_NAME) as link:
        url = f"postgresql+psycopg://bursar@127.0.0.1:{link.port}/bursar"
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE things (id integer)"))
        link.cut_commits(1)
        with pytest.raises(OperationalError), engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO things VALUES (1)"))
        with engine.begin() as connection:
            assert connection.execute(sa.text("SELECT count(*) FROM things")).scalar() == 1
        assert link.commits_cut == 1
        engine.dispose()
