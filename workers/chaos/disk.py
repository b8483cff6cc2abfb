"""A small disk of the storm's own, to be filled: a tmpfs, which only root may mount."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from workers.embedded import accounts
from workers.embedded.homes import ROOTS_DATA, Home

SIZE_MB: Final = 600
FILLER: Final = "filler"
PIECE: Final = bytes(1 << 20)
MOUNT_SECONDS_MAX: Final = 10.0


class Disk:
    """Where the servers' data lie; full or not."""

    def __init__(self, place: Path) -> None:
        self._filler = place / FILLER

    def fill(self) -> None:
        """Take all the room that is left."""
        with suppress(OSError), self._filler.open("wb", buffering=0) as file:
            while True:
                file.write(PIECE)
        with suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(PIECE[:512])

    def clear(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)


def is_possible() -> bool:
    """Say whether this process may mount: tried, not guessed."""
    if os.geteuid() != 0:
        return False
    ROOTS_DATA.mkdir(parents=True, exist_ok=True)
    place = ROOTS_DATA / f"try-{os.getpid()}"
    place.mkdir(mode=0o700)
    try:
        return _mount(place, "size=1m") and _unmount(place)
    finally:
        place.rmdir()


@contextmanager
def small_disk(home: Home) -> Iterator[Disk]:
    """Let the servers of a fresh home have their data on a small disk; it is gone afterwards."""
    account = accounts.choose(home.data)
    place = ROOTS_DATA / f"disk-{os.getpid()}"
    place.mkdir(mode=0o755, parents=True)
    options = f"size={SIZE_MB}m,uid={account.user_id},gid={account.group_id},mode=700"
    home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        if not _mount(place, options):
            raise OSError(f"no tmpfs could be mounted on {place}")
        home.data.symlink_to(place)
        yield Disk(place)
    finally:
        home.data.unlink(missing_ok=True)
        _unmount(place)
        shutil.rmtree(place, ignore_errors=True)


def _mount(place: Path, options: str) -> bool:
    return _run("mount", "-t", "tmpfs", "-o", options, "bursar-chaos", str(place))


def _unmount(place: Path) -> bool:
    return _run("umount", str(place)) or _run("umount", "-l", str(place))


def _run(program: str, *arguments: str) -> bool:
    found = shutil.which(program)
    if found is None:
        return False
    done = subprocess.run(
        [found, *arguments], check=False, capture_output=True, timeout=MOUNT_SECONDS_MAX
    )
    return done.returncode == 0
