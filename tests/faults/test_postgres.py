"""Postgres fails under worker processes: commits lost, the server killed, the server restarted."""

import signal

import pytest
import sqlalchemy as sa

from db.errors import ConnectionLostError, OverdueError
from domain.errors import UnreachableError
from tests.builders import rows, worker
from tests.faults.houses import House
from tests.servers import Cluster, freeze, kill, restart, thaw
from tests.waiting import eventually
from workers.chaos.link import Link
from workers.embedded.postgres import SOCKET_NAME


@pytest.mark.parametrize("strike", ["lose_reply", "lose_request"])
@pytest.mark.parametrize("point", ["before_claim", "before_settle"])
def test_a_commit_in_doubt_is_looked_up_and_never_done_again(
    home: House, strike: str, point: str
) -> None:
    """F16, F17: the connection is cut on the commit; each payout is sent once, by the same process."""
    home.seed(20)
    worker = home.start(f"{strike}:{point}")
    home.accepted(20)
    assert worker.process.poll() is None
    assert len(home.recorder.sent) == 20
    home.assert_each_paid_once(20)


@pytest.mark.parametrize("strike", ["lose_reply", "lose_request"])
def test_an_enqueue_whose_commit_was_lost_is_asked_again_under_its_key(
    home: House, strike: str
) -> None:
    """F18: the operator asks again, and there is one run."""
    command = ("enqueue", "payouts.process", "--key", "monday")
    first = home.start(f"{strike}:before_enqueue", command=command)
    assert first.ended() != 0
    assert first.said("Traceback") == 0
    assert home.bursar(*command).ended() == 0
    found = rows(home.database, "SELECT id FROM runs WHERE request_key = 'monday'")
    assert len(found) == 1


def test_kill_9_of_the_cluster_mid_batch_loses_nothing(
    own_home: House, own_servers: Cluster
) -> None:
    """F19: the same two processes work again as soon as it is back; each payout is sent once."""
    workers = [own_home.start().ready() for _ in range(2)]
    own_home.seed(400)
    eventually(lambda: own_home.count("accepted") > 40, what="a batch under way")
    kill(own_servers.postgres)
    own_servers.postgres.start()
    own_home.database.dispose()
    own_home.accepted(400)
    assert [working.process.poll() for working in workers] == [None, None]
    own_home.assert_each_paid_once(400)


def test_a_fast_restart_mid_batch_is_a_pause(own_home: House, own_servers: Cluster) -> None:
    """F20: connections are checked before use; nothing is lost, nobody has to be restarted."""
    worker = own_home.start().ready()
    own_home.seed(300)
    eventually(lambda: own_home.count("accepted") > 40, what="a batch under way")
    own_home.database.dispose()
    restart(own_servers.postgres)
    own_home.accepted(300)
    worker.signal(signal.SIGTERM)
    assert worker.ended() == 0
    own_home.assert_each_paid_once(300)


def test_the_work_committed_after_a_runs_last_claim_is_done_within_seconds(home: House) -> None:
    """The run has looked, found nothing more, and is about to end: nobody rings, and it is done."""
    home.seed(1)
    worker = home.start("stop:before_end")
    worker.stopped()
    home.seed(1, first=1)
    worker.signal(signal.SIGCONT)
    home.accepted(2, seconds=5.0)
    home.assert_each_paid_once(2)


def test_frozen_inside_its_settling_transaction_it_is_cut_off_and_its_commit_fails(
    home: House,
) -> None:
    """F10: others skip its rows, the server ends its idle transaction, and whoever takes over settles."""
    [id_] = home.seed()
    sleeper = home.start("stop:before_settle")
    sleeper.stopped()
    home.start().ready()
    home.accepted(1, seconds=40)
    before = home.payout(id_)
    sleeper.signal(signal.SIGCONT)
    # It looks for what it had written under its own token, and finds that it is not its own any more.
    eventually(
        lambda: sleeper.said("settle.fenced") or sleeper.said("run.ended"), 20, "the sleeper's end"
    )
    after = home.payout(id_)
    assert (after.e_sends, after.e_provider_id) == (before.e_sends, before.e_provider_id)
    assert len(set(home.sent(id_))) == 1
    home.assert_each_paid_once(1)


def test_a_frozen_server_holds_nobody_for_longer_than_a_transaction_may_last(
    own_database_url: str, own_servers: Cluster
) -> None:
    """F23: the client's own deadline gives the connection up; thawed, the server is used again."""
    with worker(own_database_url) as database:
        assert rows(database, "SELECT 1 AS one")[0].one == 1
        freeze(own_servers.postgres)
        try:
            with (
                pytest.raises((ConnectionLostError, OverdueError, UnreachableError)),
                database.begin(1.0) as tx,
            ):
                tx.scalar(sa.text("SELECT 1"))
        finally:
            thaw(own_servers.postgres)
        assert database.transact(lambda tx: tx.scalar(sa.text("SELECT 2"))) == 2


def test_a_link_that_swallows_everything_holds_nobody_for_longer_than_a_transaction_may_last(
    own_database_url: str, own_servers: Cluster
) -> None:
    """F24: nothing is refused and nothing comes; the client's own deadline gives up, and then it goes on."""
    with Link(own_servers.pair.sockets / SOCKET_NAME) as link:
        url = sa.make_url(own_database_url).set(host="127.0.0.1", port=link.port, query={})
        with worker(url.render_as_string(hide_password=False)) as database:
            assert rows(database, "SELECT 1 AS one")[0].one == 1
            link.stall()
            with (
                pytest.raises((ConnectionLostError, OverdueError, UnreachableError)),
                database.begin(1.0) as tx,
            ):
                tx.scalar(sa.text("SELECT 1"))
            link.heal()
            assert database.transact(lambda tx: tx.scalar(sa.text("SELECT 2"))) == 2


def test_where_no_connection_is_to_be_had_a_worker_waits_and_loses_nothing(
    own_home: House, own_servers: Cluster
) -> None:
    """F31: the server has no room in the middle of a batch; the same process goes on once there is."""
    working = own_home.start().ready()
    own_home.seed(200)
    eventually(lambda: own_home.count("accepted") > 20, what="a batch under way")
    admin = sa.create_engine(own_servers.superuser_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as superuser:
        superuser.exec_driver_sql("ALTER DATABASE bursar CONNECTION LIMIT 0")
        superuser.exec_driver_sql(ENDED)
        with worker(own_servers.database_url) as database, pytest.raises(UnreachableError):
            rows(database, "SELECT 1")
        superuser.exec_driver_sql("ALTER DATABASE bursar CONNECTION LIMIT -1")
    admin.dispose()
    own_home.database.dispose()
    own_home.accepted(200)
    assert working.process.poll() is None
    own_home.assert_each_paid_once(200)


ENDED = """SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
           WHERE datname = 'bursar' AND pid <> pg_backend_pid()"""
