"""The oldest Postgres that is promised to work, where this machine has one."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.embedded.accounts import choose

BINARIES = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def elder() -> Iterator[str]:
    """Run Postgres 15 on a folder of its own; yields the URL of its superuser."""
    folder = Path(tempfile.mkdtemp(prefix="elder-", dir="/tmp"))
    account = choose(folder / "data")
    shutil.chown(folder, account.user_id, account.group_id)

    def run(program: str, *arguments: str) -> None:
        command = [str(BINARIES / program), "-D", str(folder / "data"), *arguments]
        who = (
            {}
            if account.is_ours
            else {"user": account.user_id, "group": account.group_id, "extra_groups": []}
        )
        log = folder / "log"
        log.touch()
        with log.open("a") as output:
            subprocess.run(
                command, check=True, cwd=folder, stdout=output, stderr=output, timeout=60, **who
            )  # type: ignore[call-overload]  # the same by name

    try:
        run(
            "initdb", "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"
        )
        run("pg_ctl", "start", "-w", "-s", "-o", f"-k {folder} -c listen_addresses= -c fsync=off")
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "-w", "-s", "-m", "immediate")
    finally:
        shutil.rmtree(folder)
