"""``python -m airflow_multicloud …``: the commands of ``airflow multicloud …``, on any Airflow.

Airflow takes commands from providers since 3.2; before, this is the only way to them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from airflow.cli.cli_config import ActionCommand, Arg, DefaultHelpParser, GroupCommand
from airflow.cli.cli_parser import LazyRichHelpFormatter
from airflow.configuration import write_default_airflow_configuration_if_needed

from airflow_multicloud.cli.definition import get_cli_commands

PROGRAM = "python -m airflow_multicloud"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, as ``airflow multicloud`` would.

    :param arguments: the words after the program's name; by default those of this process.
    :raises SystemExit: with the command's exit code when it is not zero.
    """
    args = parser().parse_args(arguments)
    # As Airflow's own program does: stored connections are encrypted with a key that it writes.
    write_default_airflow_configuration_if_needed()
    args.func(args)


def parser() -> DefaultHelpParser:
    """The parser of all commands; its help names this program."""
    (group,) = get_cli_commands()
    assert isinstance(group, GroupCommand)  # noqa: S101 - as it is defined
    made = DefaultHelpParser(
        prog=PROGRAM,
        description=group.description,
        epilog=group.epilog,
        formatter_class=LazyRichHelpFormatter,
    )
    commands = made.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
    for command in sorted(group.subcommands, key=lambda command: command.name):
        assert isinstance(command, ActionCommand)  # noqa: S101 - as they are defined
        added = commands.add_parser(
            command.name,
            help=command.help,
            description=command.description,
            epilog=(command.epilog or "").replace("airflow multicloud", PROGRAM),
            formatter_class=LazyRichHelpFormatter,
        )
        for arg in sorted(command.args, key=_order):
            arg.add_to_parser(added)
        added.set_defaults(func=command.func)
    return made


def _order(arg: Arg) -> str:
    """Positional arguments as they are defined, then options by name, as Airflow lists them."""
    return str(arg.flags[-1]).lower() if arg.flags[0].startswith("-") else ""


if __name__ == "__main__":
    main(sys.argv[1:])
