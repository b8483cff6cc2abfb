"""Become a server: run as a script by `children`, it drops rights, ties its life to ours, execs.

A script of its own and not a `preexec_fn`: the Python code of a `preexec_fn` runs between fork and
exec of a process that may have threads, which Python 3.12 and later warn about with good reason.
The order matters: a change of user clears the death signal, so that comes after it; and the parent
may have died before the death signal was asked for, so that is looked at last.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(
    parent: str, death_signal: str, user_id: str, group_id: str, folder: str, *command: str
) -> None:
    """Exec `command` in `folder` as the given user; it gets the death signal when we die."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # a blocked SIGTERM would outlive the exec
    if int(user_id) != os.geteuid():
        os.setgroups([])
        os.setgid(int(group_id))
        os.setuid(int(user_id))
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        sys.exit("prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != int(parent):
        sys.exit("the parent died first")
    os.chdir(folder)
    os.execv(command[0], command)  # noqa: S606  its arguments are made by `children`


if __name__ == "__main__":
    main(*sys.argv[1:])
