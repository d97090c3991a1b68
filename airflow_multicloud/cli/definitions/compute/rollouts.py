"""Commands that deploy, and bring earlier revisions back."""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.cli.definitions.parts import arg, command, flag

_DRY_RUN = flag("--dry-run", "only print the plan, with its hash and price; make nothing")
_PLAN = arg(
    "--plan",
    type=Path,
    metavar="FILE",
    help="the plan that was approved, as --dry-run -o json prints it: refuse to do anything else,\n"
    "and name what differs",
)
_PLAN_HASH = arg(
    "--plan-hash",
    metavar="HASH",
    help="the hash of the plan that was approved: refuse to do anything else",
)

DEPLOY = command(
    "deploy",
    "Deploy one artifact to virtual machines in several clouds",
    arg("deployment", type=Path, metavar="FILE", help="the deployment, as JSON"),
    arg(
        "--artifact",
        metavar="ARTIFACT",
        help="a URI or local path, instead of the one in the file",
    ),
    arg("--revision", metavar="NAME", help="its name, instead of the one in the file"),
    arg(
        "--artifact-sha256",
        metavar="SHA256",
        help="that the artifact is expected to have",
    ),
    _DRY_RUN,
    _PLAN,
    _PLAN_HASH,
    service="compute",
    description="The plan is printed on stderr, then each step of each instance; the result is one "
    "row for each\ntarget. It ends with 0 when enough targets run the revision; else what failed "
    "was put back, and\nthe exit code is that of the first failure.",
    examples="""\
  airflow multicloud deploy shop.json --artifact shop-1.4.tar.gz --revision 1.4 --dry-run
  airflow multicloud deploy shop.json --artifact shop-1.4.tar.gz --dry-run -o json | tee plan.json
  airflow multicloud deploy shop.json --artifact shop-1.4.tar.gz --plan plan.json
""",
)

ROLLBACK = command(
    "rollback",
    "Bring back an earlier revision of a deployment",
    arg(
        "targets",
        type=Path,
        metavar="FILE",
        help="where it is to run: a list of targets, or a deployment of which targets and policy\n"
        "are taken, as JSON",
    ),
    arg("--deployment-id", required=True, metavar="ID", help="whose"),
    arg("--to", required=True, metavar="REVISION", help="the revision's name"),
    _DRY_RUN,
    _PLAN,
    _PLAN_HASH,
    service="compute",
    description="What the revision was is read from its record near the targets; its artifact is "
    "still there. It is\na rollout like the one that deployed it.",
    examples="""\
  airflow multicloud rollback shop.json --deployment-id shop --to 1.3 --dry-run
  airflow multicloud rollback shop.json --deployment-id shop --to 1.3
""",
)

COMMANDS = (DEPLOY, ROLLBACK)
