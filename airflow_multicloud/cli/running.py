"""What every command does around its work: connections, errors, exit codes."""

from __future__ import annotations

import functools
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout

from airflow.utils.cli import suppress_logs_and_warning

from airflow_multicloud.cli import exit_codes, output
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.errors import CloudError

#: Airflow's own name for "this process may read the metadata database"; without it only
#: environment variables and a configured secrets backend are asked for connections
#: (``airflow.sdk.execution_time.supervisor.ensure_secrets_backend_loaded``). The commands
#: ``airflow connections get`` and ``test`` set it in the same way.
_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"

Run = Callable[[Namespace], Result]


def command(run: Run) -> Callable[[Namespace], None]:
    """Make a function of the parsed arguments a command.

    It can use stored connections, logs nothing unless ``--verbose`` is given, and then to
    stderr; it tells of a :class:`CloudError` in one line on stderr, and ends the process with
    an exit code that says what happened (by ``SystemExit``, when it is not zero).
    """

    @functools.wraps(run)
    def wrapped(args: Namespace) -> None:
        code = _run(run, args)
        if code:
            raise SystemExit(int(code))

    return wrapped


def _run(run: Run, args: Namespace) -> ExitCode:
    try:
        # Airflow logs to whatever sys.stdout is when a logger is first used.
        with _stored_connections(), redirect_stdout(sys.stderr):
            result = _quietly(run, args)
        output.show(result, args.output)
    except CloudError as err:
        if args.verbose:
            output.say_traceback()
        output.say(output.error_line(err.kind, err))
        return exit_codes.of_error(err)
    except KeyboardInterrupt:
        output.say("interrupted")
        return ExitCode.INTERRUPTED
    except Exception as err:  # noqa: BLE001 - shown in full, but with secrets masked
        output.say_traceback()
        output.say(output.error_line("unexpected", f"{type(err).__name__}: {err}"))
        return ExitCode.UNEXPECTED
    return result.code


def _quietly(run: Run, args: Namespace) -> Result:
    results: list[Result] = []

    @suppress_logs_and_warning
    def quiet(args: Namespace) -> None:  # Airflow's decorator drops what this returns.
        results.append(run(args))

    quiet(args)
    return results[0]


@contextmanager
def _stored_connections() -> Iterator[None]:
    before = os.environ.get(_CONTEXT)
    os.environ[_CONTEXT] = "server"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_CONTEXT]
        else:
            os.environ[_CONTEXT] = before
