"""Runs a command that ends when its parent does, even when the parent is killed.

Used as a script by :mod:`.process`: ``python tether.py PARENT_PID ACCOUNT COMMAND ARGUMENT…``,
where ``ACCOUNT`` is ``-``, or ``USER_ID:GROUP_ID`` of who runs the command (only root may say so).
It asks the kernel for SIGKILL at the parent's death (Linux, ``prctl(2)``: ``PR_SET_PDEATHSIG`` is
kept across ``execve``) and then becomes the command, so the command has this very process id.
A script rather than ``preexec_fn``, which is unsafe in a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, account, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    libc = ctypes.CDLL(None, use_errno=True)
    # First: the kernel forgets the tie when the user changes.
    if account != "-":
        _become(*map(int, account.split(":")))
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit("the parent ended before the command started")
    os.execvp(command[0], command)  # noqa: S606  # the caller's own command, no shell


def _become(user: int, group: int) -> None:
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)


if __name__ == "__main__":
    main()
