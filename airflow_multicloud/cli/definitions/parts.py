"""What the definitions of commands are made of."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from airflow.cli.cli_config import ARG_OUTPUT, ARG_VERBOSE, ActionCommand, Arg, lazy_load_command

from airflow_multicloud.cli.definitions.complaints import complain_briefly

EXIT_CODES = """\
Exit codes:
  0    done
  1    unexpected error
  2    the command line or a connection is wrong, or an extra is not installed
  3    it ran, but some objects failed or are not proven
  4    not found: a connection, bucket, object or ledger
  5    credentials or permissions
  6    unavailable, busy, timed out, throttled or changed meanwhile: try again later
  7    refused: what is there, a stated limit or a quota forbids it
  130  interrupted (Ctrl-C)
  141  whoever read the output closed it (as head does)
"""

LOCATIONS = (
    "Locations are URIs: scheme://conn_id@bucket/key, with s3, gs or abfs; a prefix ends with a "
    "slash.\nWithout conn_id@ the scheme's default connection is used."
)


def arg(name: str, **settings: Any) -> Arg:
    """An option or a positional argument."""
    return Arg((name,), **settings)  # type: ignore[no-untyped-call]  # Airflow's


def flag(name: str, text: str) -> Arg:
    """An option without a value."""
    return arg(name, help=text, action="store_true")


#: The output formats of a command whose result is one table of plain values.
OUTPUT_WITH_CSV = Arg(  # type: ignore[no-untyped-call]  # Airflow's
    ("-o", "--output"),
    help="Output format. Allowed values: table, json, yaml, plain, csv (default: table)",
    metavar="table|json|yaml|plain|csv",
    choices=("table", "json", "yaml", "plain", "csv"),
    default="table",
)


class _Verbose(Arg):
    """Airflow's ``--verbose``; as every command has it, it sets how its parser complains."""

    def add_to_parser(self, parser: ArgumentParser) -> None:
        super().add_to_parser(parser)
        complain_briefly(parser)


_VERBOSE = _Verbose(ARG_VERBOSE.flags, **ARG_VERBOSE.kwargs)  # type: ignore[no-untyped-call]

_QUIET = Arg(  # type: ignore[no-untyped-call]  # Airflow's
    ("-q", "--quiet"),
    help="say nothing on stderr but what is the matter: no bar, no notes",
    action="store_true",
)


def command(
    name: str,
    text: str,
    *args: Arg,
    description: str,
    examples: str,
    service: str = "",
    output: Arg = ARG_OUTPUT,
) -> ActionCommand:
    """A command; ``commands`` has a module of its name with the function ``run``.

    :param service: the folder of ``commands`` that has it; none when it is about no single service.
    """
    module = ".".join(filter(None, ("airflow_multicloud.cli.commands", service, name)))
    return ActionCommand(
        name=name,
        help=text,
        description=description,
        epilog=f"Examples:\n{examples}\n{EXIT_CODES}",
        func=lazy_load_command(f"{module.replace('-', '_')}.run"),
        args=(*args, _VERBOSE) if name == "local" else (*args, output, _QUIET, _VERBOSE),
    )
