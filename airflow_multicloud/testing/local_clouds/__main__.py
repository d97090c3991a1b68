"""Runs the local clouds until Ctrl-C, or for as long as one command runs."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.errors import CloudError
from airflow_multicloud.testing.local_clouds import (
    OBJECT_STORES,
    LocalCloudOptions,
    LocalClouds,
    Server,
    servers_named,
)
from airflow_multicloud.testing.local_clouds.kit.process import tethered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the clouds; print their connections, or run a command with them set."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _exit)
    # A shell starts what it puts into the background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    clouds = LocalClouds(
        LocalCloudOptions(
            data_dir=options.data_dir,
            servers=OBJECT_STORES.union(options.servers),
        )
    )
    try:
        with clouds:
            if options.exec:
                return _run(options.exec, clouds.conn_env())
            for name, value in clouds.conn_env().items():
                sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
            sys.stdout.flush()
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_multicloud.testing.local_clouds",
        description="Run servers on 127.0.0.1 that stand in for AWS, Google Cloud and Azure. "
        "Without --exec: print their connections as shell lines and run until Ctrl-C.",
    )
    parser.add_argument("--data-dir", type=Path, help="keep data and logs here")
    parser.add_argument(
        "--with",
        dest="servers",
        type=_names,
        action="extend",
        default=[],
        metavar="NAME[,NAME]",
        help="also run these, besides the three object stores: "
        f"{', '.join(sorted(set(Server) - OBJECT_STORES))}",
    )
    parser.add_argument(
        "--second-s3",
        dest="servers",
        action="append_const",
        const=Server.AWS_SECOND_OBJECT_STORE,
        help=f"the same as --with {Server.AWS_SECOND_OBJECT_STORE}",
    )
    parser.add_argument(
        "--exec",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="run this command (the rest of the line) with the connections set, then stop: a "
        "shell, or what does not read the terminal; a second Ctrl-C kills it",
    )
    return parser


def _names(text: str) -> frozenset[Server]:
    try:
        return servers_named([text])
    except CloudError as err:
        raise argparse.ArgumentTypeError(str(err)) from err


def _exit(_signum: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)


#: What reads the terminal, and lets Ctrl-C end what runs in it instead of itself.
_SHELLS = frozenset({"sh", "bash", "zsh", "fish", "dash", "ksh"})


def _run(command: Sequence[str], connections: Mapping[str, str]) -> int:
    if Path(command[0]).name in _SHELLS and sys.stdin.isatty():
        return _run_shell(command, connections)
    # In a session of its own: a terminal's Ctrl-C then reaches this process alone, which passes
    # it on. `airflow standalone` hangs when its children get it too, besides their SIGTERM.
    process = subprocess.Popen(  # noqa: S603  # the user's own command, no shell
        tethered(command), env={**os.environ, **connections}, start_new_session=True
    )
    try:
        status = _wait(process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    return status if status >= 0 else 128 - status


def _run_shell(command: Sequence[str], connections: Mapping[str, str]) -> int:
    """A shell for a person: it keeps the terminal, its job control and its own Ctrl-C."""
    before = signal.signal(signal.SIGINT, lambda _signum, _frame: None)
    process = subprocess.Popen(  # noqa: S603  # the user's own command, no shell
        tethered(command), env={**os.environ, **connections}
    )
    try:
        status = process.wait()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGHUP)  # An interactive shell ignores SIGTERM.
            process.wait()
        signal.signal(signal.SIGINT, before)
    return status if status >= 0 else 128 - status


def _wait(process: subprocess.Popen[bytes]) -> int:
    """The command's status; the first Ctrl-C asks it to end, the second one kills it."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
    try:
        return process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


if __name__ == "__main__":
    sys.exit(main())
