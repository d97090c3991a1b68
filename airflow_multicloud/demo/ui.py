"""``python -m airflow_multicloud.demo.ui COMMAND…``: run an Airflow on seeded local clouds.

The local connections become the default ones, and the bills lie where the example DAGs look for
them by default and reach to today, so that these run as they are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_multicloud import api
from airflow_multicloud.demo import advice, bills, data, rollouts, telemetry
from airflow_multicloud.testing.local_clouds.kit.process import tethered
from airflow_multicloud.testing.sample_app import write_sample_app

#: Default connection → the local ones that it is made of, the first with its credentials.
_DEFAULTS = {
    "aws_default": ("aws_local", "cost_hub_local"),
    "google_cloud_default": ("gcp_local", "bigquery_local", "recommender_local"),
    "wasb_default": ("wasb_local",),
    "azure_default": ("azure_local",),
}
#: The DAGs that run once, each with its run's configuration: nobody is there to approve a plan. One
#: without is begun by its own schedule, for the day before.
_RUNS: dict[str, dict[str, Any] | None] = {
    "disaster_recovery": {},
    "nightly_cost": None,
    "release": {"approve": False},
}
#: Where a release goes, and what its targets fetch.
_RELEASES = (
    "s3://aws_default@releases/",
    "gs://google_cloud_default@releases/",
    "abfs://wasb_default@releases/",
    *rollouts.PLACES.values(),
)
#: Quicker than clouds are, and patient with a machine that has more to do.
_ROLLOUT = {"canary": 1, "rollback": "all", "poll_interval_seconds": 1}
#: A policy of Airflow's: it changes what DAGs have by default, when they are parsed. Each task
#: has a copy, which is what it sees unless a run says otherwise.
_POLICY = """\
def dag_policy(dag):
    for params in (dag.params, *(task.params for task in dag.tasks)):
        for name, value in {defaults!r}.items():
            if name in params:
                params[name] = value
"""


def main() -> None:
    """Seed the clouds and become the command."""
    _run_locally(Path(os.environ["AIRFLOW_HOME"]))
    for conn_id, parts in _DEFAULTS.items():
        _connect(conn_id, _merged([_connection(part) for part in parts]))
    data.seed("s3://primary/data/", ["gs://replica/data/", "abfs://replica/data/"])
    for uri in ("s3://finops/", *_RELEASES):
        api.make_bucket(uri)
    # In US dollars: the installed exchange rates don't reach to today.
    exports = bills.Exports(
        aws="s3://aws_default@billing/exports/focus",
        gcp="bigquery://google_cloud_default@project/billing/gcp_billing_export_focus_000000",
        azure="abfs://wasb_default@billing/exports/focus",
        day=datetime.now(UTC).date(),
        euros=False,
    )
    exports.publish()
    # The months that are over; what is new of this one the DAG ingests.
    past = api.CloudCostAnalyzer("s3://finops/costs/")
    for uri in exports.uris.values():
        past.ingest(uri, last=exports.month - timedelta(days=1))
    advice.seed()
    _begin_runs()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the Makefile's own command


def _begin_runs() -> None:
    """Have each DAG run once, so that the pages show something. It ends with this process."""
    url = os.environ["AIRFLOW__API__BASE_URL"]
    module = [sys.executable, "-m", "airflow_multicloud.demo.first_runs"]
    subprocess.Popen(tethered([*module, url, json.dumps(_RUNS)]))  # noqa: S603 - the package's own


def _run_locally(home: Path) -> None:
    """Let the DAGs export to the connections for telemetry, and release to the local clouds.

    One connection for all a cloud's services can't be made here: the local object stores know
    nobody, and who writes metrics or signs URLs must be somebody. For the same reason they can't
    say what is allowed.
    """
    conn_ids = list(telemetry.CONNECTIONS)
    home.mkdir(parents=True, exist_ok=True)
    artifact = str(write_sample_app(home / "shop.tar.gz"))
    for dag_id in _RUNS:
        places = {
            "metrics_to": conn_ids,
            **({"artifact": [artifact]} if dag_id == "release" else {}),
        }
        os.environ[f"AIRFLOW_VAR_{dag_id.upper()}_PLACES"] = json.dumps(places)
    os.environ["AIRFLOW_VAR_RELEASE_TARGETS"] = json.dumps(rollouts.targets())
    defaults = {
        "metrics_to": conn_ids,
        "on_unknown": "warn",
        "artifact": artifact,
        "policy": _ROLLOUT,
    }
    settings = home / "config" / "airflow_local_settings.py"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(_POLICY.format(defaults=defaults))


def _connection(conn_id: str) -> dict[str, Any]:
    connection: dict[str, Any] = json.loads(os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"])
    return connection


def _connect(conn_id: str, connection: dict[str, Any]) -> None:
    os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(connection)


def _merged(connections: list[dict[str, Any]]) -> dict[str, Any]:
    """One connection with the endpoints of all."""
    extra: dict[str, Any] = {}
    for connection in connections:
        for name, value in connection["extra"].items():
            known = extra.get(name)
            if isinstance(known, dict) and isinstance(value, dict):
                value = {**known, **value}  # noqa: PLW2901 - endpoints of services
            extra[name] = value
    return {**connections[0], "extra": extra}


if __name__ == "__main__":
    main()
