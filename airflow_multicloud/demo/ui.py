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
from airflow_multicloud.demo import advice, bills, data, telemetry
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import BucketCreation
from airflow_multicloud.testing.local_clouds.kit.process import tethered

#: Default connection → the local ones that it is made of, the first with its credentials.
_DEFAULTS = {
    "aws_default": ("aws_local", "cost_hub_local"),
    "google_cloud_default": ("gcp_local", "bigquery_local", "recommender_local"),
    "wasb_default": ("wasb_local",),
    "azure_default": ("azure_local",),
}
#: The DAGs that export their figures, and can be run here.
_EXPORTING = ("disaster_recovery", "nightly_cost")
#: A policy of Airflow's: it changes what DAGs have by default, when they are parsed.
_POLICY = """\
def dag_policy(dag):
    if "metrics_to" in dag.params:
        dag.params["metrics_to"] = {conn_ids!r}
    if "on_unknown" in dag.params:
        dag.params["on_unknown"] = "warn"
"""


def main() -> None:
    """Seed the clouds and become the command."""
    _export_locally(Path(os.environ["AIRFLOW_HOME"]))
    for conn_id, parts in _DEFAULTS.items():
        _connect(conn_id, _merged([_connection(part) for part in parts]))
    data.seed("s3://primary/data/", ["gs://replica/data/", "abfs://replica/data/"])
    finops = open_endpoint("s3://finops/", parameter="store")
    if isinstance(finops.store, BucketCreation):
        finops.store.ensure_bucket(finops.bucket)
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
    subprocess.Popen(tethered([*module, url, *_EXPORTING]))  # noqa: S603 - the package's own


def _export_locally(home: Path) -> None:
    """Let the DAGs export to the connections for telemetry: one for all a cloud's can't be made.

    The local object stores know nobody, and who writes metrics must be somebody. For the same
    reason they can't say what is allowed.
    """
    conn_ids = list(telemetry.CONNECTIONS)
    for dag_id in _EXPORTING:
        os.environ[f"AIRFLOW_VAR_{dag_id.upper()}_PLACES"] = json.dumps({"metrics_to": conn_ids})
    settings = home / "config" / "airflow_local_settings.py"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(_POLICY.format(conn_ids=conn_ids))


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
