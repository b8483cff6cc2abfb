"""Who is called dead: only a process of this kernel and pid namespace that surely runs no more."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.waiting import eventually
from workers import lives
from workers.composition import worker_name
from workers.lives import is_dead, own_life

SAY = "from workers.composition import worker_name; print(worker_name(), flush=True); input()"


@contextmanager
def neighbour() -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Another process of this machine, by its worker's name."""
    process = subprocess.Popen(
        [sys.executable, "-c", SAY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    with process, process.stdin, process.stdout:
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def test_who_lives_is_not_dead_and_who_was_killed_is_reaped_or_not() -> None:
    with neighbour() as (name, process):
        assert name.startswith(f"{socket.gethostname()}:{process.pid}:")
        assert not is_dead(name)
        process.send_signal(signal.SIGKILL)
        zombie = psutil.Process(process.pid)
        eventually(lambda: zombie.status() == psutil.STATUS_ZOMBIE, what="a zombie")
        assert is_dead(name)
        process.wait()
        assert is_dead(name)


def test_a_frozen_process_is_not_dead() -> None:
    with neighbour() as (name, process):
        process.send_signal(signal.SIGSTOP)
        assert not is_dead(name)


def test_a_process_that_got_the_pid_of_a_dead_one_is_not_taken_for_it() -> None:
    host, pid, life = worker_name().rsplit(":", 2)
    _start, _, place = life.partition("-")
    assert not is_dead(f"{host}:{pid}:{life}")
    assert is_dead(f"{host}:{pid}:1-{place}")


def test_of_another_boot_machine_or_container_nothing_is_known() -> None:
    """A pid that is free here may run there."""
    free = f"host:{2**22 + 1}"
    assert not is_dead(f"{free}:7-0123456789ab")
    assert not is_dead(f"{free}:1700000000")
    assert not is_dead("inline")
    assert not is_dead(f"somebody:{os.getpid()}:")


def proc_of(folder: Path, monkeypatch: pytest.MonkeyPatch, *, me: int) -> Path:
    """A /proc of this kernel and namespace in which nobody but process `me` is shown."""
    folder.joinpath("self").symlink_to(str(me))
    of_me = folder / str(me)
    of_me.joinpath("ns").mkdir(parents=True)
    of_me.joinpath("ns/pid").symlink_to(Path("/proc/self/ns/pid").readlink())
    monkeypatch.setattr(lives, "PROC", folder)
    return folder


def test_a_process_that_proc_hides_is_not_dead_until_its_pid_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With hidepid set, it shows a process of another user as one that is not there, or may not be read."""
    with neighbour() as (name, process):
        proc = proc_of(tmp_path, monkeypatch, me=os.getpid())
        assert not is_dead(name)
        proc.joinpath(str(process.pid), "stat").mkdir(parents=True)  # there, and not to be read
        assert not is_dead(name)
        process.kill()
        process.wait()
        assert is_dead(name)


def test_a_proc_of_another_namespace_says_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with neighbour() as (name, process):
        process.kill()
        process.wait()
        proc_of(tmp_path, monkeypatch, me=os.getpid() + 1)
        assert own_life() == ""
        assert not is_dead(name)
