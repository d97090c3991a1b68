"""``airflow multicloud local``: servers on loopback that stand in for the clouds."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.cli import exit_codes, output
from airflow_multicloud.errors import CloudError
from airflow_multicloud.testing.local_clouds import __main__ as local_clouds
from airflow_multicloud.testing.local_clouds import servers_named


def run(args: Namespace) -> None:
    """Run them until Ctrl-C, or for one command, whose exit code becomes ours."""
    arguments = []
    if args.data_dir is not None:
        arguments += ["--data-dir", args.data_dir]
    words = args.command[1:] if args.command[:1] == ["--"] else args.command
    if words:
        arguments += ["--exec", *words]
    try:
        if args.servers:
            arguments[:0] = ["--with", ",".join(servers_named(args.servers))]
        code = local_clouds.main(arguments)
    except CloudError as err:
        output.say(output.error_line(err.kind, err))
        code = exit_codes.of_error(err)
    if code:
        raise SystemExit(int(code))
