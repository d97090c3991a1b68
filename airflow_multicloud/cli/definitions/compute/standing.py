"""Commands about deployments that are there."""

from __future__ import annotations

from airflow_multicloud.cli.definitions.parts import arg, command, flag
from airflow_multicloud.cli.values import duration

_CONN = arg(
    "--conn",
    action="append",
    required=True,
    metavar="ID",
    help="a connection of a cloud to look in; may be given more than once",
)
_REGION = arg(
    "--region",
    action="append",
    metavar="[ID=]REGION",
    help="only this region; may be given more than once. With several connections it begins with\n"
    "the one that is meant (default: every region that the account uses)",
)

DEPLOYMENTS = command(
    "deployments",
    "Say what runs where, by what the clouds list",
    _CONN,
    _REGION,
    arg("--deployment-id", metavar="ID", help="only this deployment (default: all)"),
    service="compute",
    description="Every instance that carries a deployment's label, also one that is stopped, has "
    "failed or was\nrelabelled. A place that gives no answer is named and costs no other; the "
    "command then ends\nwith the exit code of its error.",
    examples="""\
  airflow multicloud deployments --conn aws_default --conn google_cloud_default
  airflow multicloud deployments --conn aws_default --region eu-central-1 --deployment-id shop
  airflow multicloud deployments --conn aws_default -o json
""",
)

TEARDOWN = command(
    "teardown",
    "Remove everything of a deployment, and prove it by a listing",
    _CONN,
    _REGION,
    arg("--deployment-id", required=True, metavar="ID", help="whose instances go"),
    arg(
        "--timeout",
        type=duration,
        metavar="TIME",
        help="for each connection (default: 15m)",
    ),
    arg(
        "--poll-interval",
        type=duration,
        metavar="TIME",
        help="between two looks at what is being removed (default: 5s)",
    ),
    arg(
        "--confirm-after",
        type=duration,
        metavar="TIME",
        help="the closing listing is made no earlier than this after the beginning, since listings "
        "lag behind launches (default: 30s)",
    ),
    flag("--yes", "don't ask"),
    flag("--dry-run", "only name what would be removed"),
    service="compute",
    description="It names what will go and asks. What carries the label elsewhere than in these "
    "places stays.\nIt ends when a listing of each place, made after the last removal, shows "
    "nothing.",
    examples="""\
  airflow multicloud teardown --deployment-id shop --conn aws_default --dry-run
  airflow multicloud teardown --deployment-id shop --conn aws_default --conn wasb_default --yes
  airflow multicloud teardown --deployment-id shop --conn a --conn b --region a=eu-central-1
""",
)

COMMANDS = (DEPLOYMENTS, TEARDOWN)
