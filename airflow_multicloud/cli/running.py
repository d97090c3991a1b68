"""What every command does around its work: connections, errors, exit codes."""

from __future__ import annotations

import functools
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from typing import TypeVar

from airflow.utils.cli import suppress_logs_and_warning

from airflow_multicloud.cli import exit_codes, output
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.hints import hint
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.seams import stored_connections
from airflow_multicloud.cli.wording import spelled
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CloudError
from airflow_multicloud.registry import session

Run = Callable[[Namespace], Result]
R = TypeVar("R")


def command(*, interrupted: str = "") -> Callable[[Run], Callable[[Namespace], None]]:
    """Make a function of the parsed arguments a command.

    It can use stored connections, logs nothing unless ``--verbose`` is given, and then to
    stderr; it tells of a :class:`CloudError` in one line on stderr, and ends the process with
    an exit code that says what happened (by ``SystemExit``, when it is not zero).

    :param interrupted: what Ctrl-C leaves, and how to go on.
    """

    def made(run: Run) -> Callable[[Namespace], None]:
        name = run.__module__.rpartition(".")[2]

        @functools.wraps(run)
        def wrapped(args: Namespace) -> None:
            code = _run(name, run, args, interrupted)
            if code:
                raise SystemExit(int(code))

        return wrapped

    return made


def _run(name: str, run: Run, args: Namespace, interrupted: str) -> ExitCode:
    try:
        # Airflow logs to whatever sys.stdout is when a logger is first used.
        with (
            stored_connections(),
            redirect_stdout(sys.stderr),
            operation("command", multicloud__command=name.replace("_", "-")),
            session(),
        ):
            result = _quietly(run, args)
        output.show(result, args.output, quiet=args.quiet)
    except CloudError as err:
        if args.verbose:
            output.say_traceback()
        with stored_connections(), redirect_stdout(sys.stderr):
            more = _quietly(partial(hint, err=err), args)
        output.say(output.error_line(err.kind, f"{spelled(name, str(err))}{more}"))
        return exit_codes.of_error(err)
    except KeyboardInterrupt:
        output.say(f"interrupted{f': {interrupted}' if interrupted else ''}")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever reads the result wants no more of it, as `head` does. Python would complain
        # once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except Exception as err:  # noqa: BLE001 - shown in full, but with secrets masked
        output.say_traceback()
        output.say(output.error_line("unexpected", f"{type(err).__name__}: {err}"))
        return ExitCode.UNEXPECTED
    return result.code


def _quietly(work: Callable[[Namespace], R], args: Namespace) -> R:
    results: list[R] = []

    @suppress_logs_and_warning
    def quiet(args: Namespace) -> None:  # Airflow's decorator drops what this returns.
        results.append(work(args))

    quiet(args)
    return results[0]
