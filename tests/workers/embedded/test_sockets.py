"""The sockets folder is short, private and new."""

import os
from pathlib import Path

import pytest

from domain.errors import BadInputError
from workers.embedded import Home, accounts, sockets, start
from workers.embedded.homes import ROOTS_DATA


def test_folder_belongs_to_its_user_alone(tmp_path: Path) -> None:
    folder = sockets.name_in(tmp_path)
    sockets.make(folder, accounts.Account(name="me", user_id=os.geteuid(), group_id=os.getegid()))
    assert folder.stat().st_mode & 0o777 == 0o700


def test_names_are_never_the_same(tmp_path: Path) -> None:
    assert len({sockets.name_in(tmp_path) for _ in range(100)}) == 100


def test_longest_path_a_socket_may_have_is_the_limit() -> None:
    rest = len(f"/{sockets.PREFIX}12345678/.s.PGSQL.5432")
    fits = Path("/" + "x" * (107 - rest - 1))
    assert len(os.fsencode(sockets.name_in(fits) / ".s.PGSQL.5432")) == 107
    with pytest.raises(BadInputError, match=r"108 bytes, 107 at most\); set a shorter TMPDIR"):
        sockets.name_in(Path(f"{fits}x"))


def test_length_is_counted_in_bytes() -> None:
    with pytest.raises(BadInputError, match="too long"):
        sockets.name_in(Path("/" + "ü" * 50))


@pytest.mark.parametrize("name", ["a,b", "a:b"])
def test_folders_that_clients_misread_are_refused(name: str) -> None:
    with pytest.raises(BadInputError, match="comma or a colon"):
        sockets.name_in(Path("/somewhere", name))


def test_remove_touches_nothing_but_sockets_folders(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    sockets.remove(tmp_path / "precious")
    assert (tmp_path / "precious").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason=f"root keeps sockets in {ROOTS_DATA}")
def test_start_refuses_a_long_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    with pytest.raises(BadInputError, match="set a shorter TMPDIR"):
        start(Home(tmp_path / "home"))
