"""What is run in each environment: ``python smoke.py NAME DAY EXPORTS`` (a JSON object by cloud).

Needs the wheel with its extra ``all``, connections to local clouds in the environment variables,
and an ``AIRFLOW_HOME`` of its own, where all it writes goes.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import pkgutil
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import airflow_multicloud

#: What the extra ``local`` and the tools of tests bring; the modules that need it aren't for here.
ELSEWHERE = (
    *("azure.monitor.opentelemetry", "flask", "hypothesis", "jsonschema", "moto", "pytest"),
    *("trustme", "uv", "werkzeug"),
)

DAGS = Path(airflow_multicloud.__file__).parent / "example_dags"
TELEMETRY = ["aws_telemetry_local", "gcp_telemetry_local", "azure_telemetry_local"]
HOME = Path(os.environ["AIRFLOW_HOME"])


def main() -> None:
    """Take every step, and say how long each took."""
    name, day, exports = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    primary = f"s3://aws_local@{name}/data/"
    replicas = [f"gs://gcp_local@{name}/data/", f"abfs://wasb_local@{name}/data/"]
    for step in (
        every_module_is_imported,
        airflow_knows_the_provider,
        airflow_parses_the_dags,
        lambda: the_command_line_works(primary, replicas),
        lambda: a_replication_is_drilled(primary, replicas),
        lambda: a_night_is_compared(exports, day),
        the_pages_show_both,
    ):
        started = time.monotonic()
        said = step()
        print(f"{said} ({time.monotonic() - started:.0f} s)", flush=True)  # noqa: T201


def every_module_is_imported() -> str:
    imported = left = 0
    for module in pkgutil.walk_packages(airflow_multicloud.__path__, "airflow_multicloud."):
        try:
            importlib.import_module(module.name)
            imported += 1
        except ModuleNotFoundError as err:
            if not f"{err.name}.".startswith(tuple(f"{name}." for name in ELSEWHERE)):
                raise
            left += 1
    return f"{imported} modules imported; {left} others are for tests"


def airflow_knows_the_provider() -> str:
    listed = json.loads(ran("airflow", "providers", "list", "-o", "json"))
    (ours,) = (row for row in listed if row["package_name"] == "airflow-multicloud")
    assert ours["version"] == airflow_multicloud.__version__, ours
    return f"provider {ours['package_name']} {ours['version']}"


def airflow_parses_the_dags() -> str:
    ran("airflow", "db", "migrate")
    ran("airflow", "dags", "reserialize")
    errors = ran("airflow", "dags", "list-import-errors", "-o", "json")
    assert json.loads(errors or "[]") == [], errors
    return "no import errors in the DAGs"


def the_command_line_works(primary: str, replicas: list[str]) -> str:
    file = HOME / "orders.csv"
    file.write_text("order,total\n1,2\n" * 1000)
    ran("airflow_multicloud", "mb", *(uri.removesuffix("data/") for uri in (primary, *replicas)))
    (uploaded,) = json.loads(ran("airflow_multicloud", "upload", str(file), primary, "-o", "json"))
    assert uploaded["size"] == file.stat().st_size, uploaded
    return "python -m airflow_multicloud: made buckets, uploaded"


def a_replication_is_drilled(primary: str, replicas: list[str]) -> str:
    conf = {"primary": primary, "replicas": replicas, "metrics_to": TELEMETRY}
    # These servers know no permissions.
    asked = {**conf, "on_unknown": "warn"}
    results = run_dag("disaster_recovery", {**conf, "primary": [primary]}, asked)
    assert results["judge"]["verdict"] == "PASSED", results["judge"]
    # Its failure fails no run.
    assert results["export"]["succeeded"], results["export"]
    return "disaster_recovery ran: replicated, verified, drilled, exported"


def a_night_is_compared(exports: Mapping[str, str], day: str) -> str:
    places = {
        **{f"{cloud}_export": uri for cloud, uri in exports.items()},
        "store": str(HOME / "costs"),
        "reports": f"{HOME}/reports/",
    }
    listed = {name: [place] for name, place in places.items()}
    conf = {**places, "day": day, "budget": 250_000, "recommend_from": [], "metrics_to": []}
    results = run_dag("nightly_cost", {**listed, "recommend_from": ["none"]}, conf)
    clouds = {row["cloud"] for row in results["compare"]["clouds"]}
    assert clouds == set(exports), results["compare"]
    assert Path(results["report"]["files"]["report.html"]).is_file()
    return f"nightly_cost ran: compared {', '.join(sorted(clouds))}"


def the_pages_show_both() -> str:
    from airflow.utils.session import create_session
    from fastapi.dependencies.utils import get_flat_dependant

    from airflow_multicloud.plugins.page.app import make_app
    from airflow_multicloud.plugins.page.asking import SECTIONS, ask

    assert '"multicloud"' in ran("airflow", "plugins", "-o", "json")
    # What FastAPI does not take for a dependency would be asked of whoever opens the page.
    asked = {
        param.name
        for route in make_app().routes
        for param in get_flat_dependant(route.dependant).query_params
    }
    assert asked == {"days"}, asked
    dag_ids, now = {"disaster_recovery", "nightly_cost"}, datetime.now(UTC)
    with create_session() as session:
        shown = {
            path: ask(session, dag_ids, one, may_read_asset=lambda _: True, days=1, now=now)[0]
            for path, one in SECTIONS.items()
        }
    assert all(not page.unread for page in shown.values()), shown
    assert [drill.facts.verdict for drill in shown["drills"].drills] == ["PASSED"], shown
    assert len(shown["replicas"].replicas) == 2, shown
    assert shown["costs"].dags[0].report.clouds, shown
    assert len(shown["metrics"].clouds) == 3, shown
    return "the pages show the drill and the night"


def run_dag(dag_id: str, places: Mapping[str, Any], conf: Mapping[str, Any]) -> dict[str, Any]:
    """Each task's result."""
    os.environ[f"AIRFLOW_VAR_{dag_id.upper()}_PLACES"] = json.dumps(places)
    spec = importlib.util.spec_from_file_location(dag_id, DAGS / f"{dag_id}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for task in module.dag.tasks:
        task.retries = 0
    run = module.dag.test(run_conf=dict(conf))
    tis = run.get_task_instances()
    assert str(run.state) == "success", [(ti.task_id, str(ti.state)) for ti in tis]
    return {ti.task_id: ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index) for ti in tis}


def ran(module: str, *words: str) -> str:
    """What ``python -m`` prints; its stderr is shown only if it fails."""
    ended = subprocess.run(
        [sys.executable, "-P", "-m", module, *words], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        said = f"{ended.stdout}{ended.stderr}"
        raise RuntimeError(f"{module} {' '.join(words)} ended with {ended.returncode}:\n{said}")
    return ended.stdout


if __name__ == "__main__":
    main()
