"""What ``airflow multicloud`` can be told.

Airflow loads this for every ``airflow …`` command: it imports no more than the means to say
what commands there are. Defaults are those of the Python API; the help only repeats them.
"""

from __future__ import annotations

from airflow.cli.cli_config import CLICommand, GroupCommand

from airflow_multicloud.cli.definitions import drill, setup
from airflow_multicloud.cli.definitions.compute import rollouts, standing
from airflow_multicloud.cli.definitions.cost import costs
from airflow_multicloud.cli.definitions.database import databases
from airflow_multicloud.cli.definitions.logs import entries
from airflow_multicloud.cli.definitions.metrics import metrics
from airflow_multicloud.cli.definitions.object_store import replication, upkeep
from airflow_multicloud.cli.definitions.parts import EXIT_CODES
from airflow_multicloud.cli.definitions.secrets import secrets


def get_cli_commands() -> list[CLICommand]:
    """The commands this provider adds (the ``cli`` entry of its provider info)."""
    return [
        GroupCommand(
            name="multicloud",
            help="Replicate, prove and fail over data across AWS, Google Cloud and Azure",
            description="Replicate, prove and fail over data across AWS, Google Cloud and Azure.\n"
            "Results are on stdout (-o table, json, yaml or plain), all else is on stderr.",
            epilog=EXIT_CODES,
            subcommands=(
                setup.INIT,
                setup.PREFLIGHT,
                *replication.COMMANDS,
                *(upkeep.STATUS, upkeep.RUNS, drill.DRILL, drill.EVIDENCE, upkeep.CLEANUP),
                *rollouts.COMMANDS,
                *standing.COMMANDS,
                *costs.COMMANDS,
                *databases.COMMANDS,
                *metrics.COMMANDS,
                *entries.COMMANDS,
                *secrets.COMMANDS,
                setup.LOCAL,
            ),
        )
    ]
