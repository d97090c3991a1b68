"""``python -m airflow_multicloud.demo``: the three pipelines, and what is around them.

Check permissions, copy a secret, hold a drill, compare costs, restore a database, release, and lose
a cloud.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from airflow_multicloud.demo.environment import allow, prepare
from airflow_multicloud.demo.steps import steps_of, table_of
from airflow_multicloud.testing.local_clouds import (
    ADVISERS,
    IDENTITIES,
    MACHINES,
    OBJECT_STORES,
    TELEMETRY,
    LocalCloudOptions,
    LocalClouds,
    Server,
)

if TYPE_CHECKING:
    from airflow.sdk import DAG

# Airflow reads its environment when it is imported: what needs it is imported after `prepare`.

PRIMARY = "s3://aws_local@primary/data/"
_SECRETS = frozenset({Server.AWS_SECRETS, Server.GCP_SECRETS, Server.AZURE_SECRETS})
_SERVERS = (
    OBJECT_STORES | ADVISERS | MACHINES | TELEMETRY | IDENTITIES | _SECRETS
    | {Server.GCP_BIGQUERY, Server.AWS_DATABASE}
)  # fmt: skip
REPLICAS = ("gs://gcp_local@replica/data/", "abfs://wasb_local@replica/data/")

console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def main() -> int:
    """Run the demo; 0 when everything it claims was seen to hold."""
    started = time.monotonic()
    home = Path.cwd() / ".demo"
    dags = _dags()
    _say(
        "Local clouds",
        "moto (S3), fake-gcs-server (Cloud Storage), Azurite (Blob), bqemulator (BigQuery), "
        "who advises on savings, where machines run (EC2, Compute Engine, Azure), where metrics "
        "and logs go (CloudWatch, Cloud Monitoring and Logging, Azure Monitor), where secrets are "
        "(Secrets Manager, Secret Manager, Key Vault), who may do what (IAM), and RDS",
    )
    migrated = prepare(home / "airflow", dags)  # While the servers start.
    with LocalClouds(LocalCloudOptions(servers=_SERVERS)) as clouds:
        os.environ.update(clouds.conn_env())
        migrated()
        _say("Ready", f"after {time.monotonic() - started:.1f} s; nothing leaves this machine")
        checks = _Checks()
        _seed()
        _preflight(checks)
        _secrets(checks)
        _drill(dags, checks)
        _second_run(checks)
        _flipped_byte(checks)
        _night(dags, home, checks)
        _databases(home, checks)
        _release(dags, home, checks)
        _lost_primary(clouds, home, checks)
        _kept(home)
    return checks.end(time.monotonic() - started)


class _Checks:
    """What the demo claims, and whether it was so."""

    def __init__(self) -> None:
        self._failed: list[str] = []

    def that(self, claim: str, *, holds: bool) -> None:
        console.print(f"  {'[green]✓[/]' if holds else '[red]✗[/]'} {claim}")
        if not holds:
            self._failed.append(claim)

    def end(self, seconds: float) -> int:
        if self._failed:
            console.print(f"\n[red]{len(self._failed)} claims did not hold[/] ({seconds:.0f} s)")
            return 1
        console.print(f"\n[green]Everything above was checked[/] ({seconds:.0f} s).")
        return 0


def _say(what: str, text: str = "") -> None:
    console.print(f"[bold]{what}[/]  {text}")


def _dags() -> Path:
    """The example DAGs: of the checkout, or of the installed package."""
    package = Path(__file__).parent.parent
    checkout = package.parent / "dags"
    return checkout if checkout.is_dir() else package / "example_dags"


def _seed() -> None:
    from airflow_multicloud.demo.data import seed

    objects, size = seed(PRIMARY, REPLICAS)
    _say("Seeded", f"{PRIMARY}: {objects} objects, {size / 1e6:.1f} MB")


def _preflight(checks: _Checks) -> None:
    from airflow_multicloud.demo import permissions

    _say("\nPreflight of the replication", "one permission taken away, to see it refused")
    permissions.ask(PRIMARY, REPLICAS, console, checks.that)


def _secrets(checks: _Checks) -> None:
    from airflow_multicloud.demo import secret_copies

    _say("\nA secret of AWS copied to Google Cloud and Azure")
    secret_copies.keep_equal(console, checks.that)


def _load(file: Path) -> DAG:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag: DAG = module.dag
    return dag


def _drill(dags: Path, checks: _Checks) -> None:
    from airflow_multicloud.demo.telemetry import CONNECTIONS, Drill

    _say(
        "\nDAG disaster_recovery",
        "preflight → replicate → verify → canary → fault → recover → judge → export",
    )
    dag = _load(dags / "disaster_recovery.py")
    lists = {"replicas": list(REPLICAS), "metrics_to": list(CONNECTIONS)}
    allow(dag, {"primary": [PRIMARY], **lists})
    # The stand-ins of the stores can't say what is allowed.
    run = dag.test(run_conf={"primary": PRIMARY, **lists, "on_unknown": "warn"})
    drill, steps = Drill(), steps_of(run)
    for step in steps:
        drill.add(step.ti, step.value, step.told)
    console.print(table_of(steps))
    checks.that(f"the DAG run ended with {run.state}", holds=str(run.state) == "success")
    verdict = drill.verdict
    checks.that(f"the drill's verdict is {verdict}", holds=verdict == "PASSED")
    drill.read_back(console, checks.that)
    drill.ship_and_query(console, checks.that)


def _second_run(checks: _Checks) -> None:
    from airflow_multicloud import api

    _say("\nThe same replication again")
    report = api.replicate(PRIMARY, REPLICAS)
    unchanged = all(set(d.outcomes) == {"unchanged"} for d in report.destinations)
    checks.that(
        f"nothing was copied: {report.objects} objects unchanged at each replica, "
        f"{report.bytes_read} bytes read, {report.seconds:.1f} s",
        holds=unchanged and report.bytes_read == 0,
    )


def _flipped_byte(checks: _Checks) -> None:
    from airflow_multicloud import api
    from airflow_multicloud.opening.endpoints import open_endpoint

    _say("\nOne bit flipped in one replica")
    name = "backups/orders.dump"
    replica = open_endpoint(REPLICAS[1], parameter="replica")
    ref = replica.ref(replica.key_of(name))
    body = bytearray(replica.store.get_object(ref).read())
    body[len(body) // 2] ^= 1
    replica.store.put_object(ref, bytes(body))
    found = api.verify_replica(REPLICAS[1]).found
    checks.that(
        "; ".join(str(f) for f in found) or "verify found nothing",
        holds=[(f.name, f.finding) for f in found] == [(name, "changed")],
    )
    api.replicate(PRIMARY, REPLICAS)
    healed = api.verify_replica(REPLICAS[1], depth=api.Depth.READ)
    checks.that(
        f"the next replication mended it: {healed.objects} objects read and verified",
        holds=healed.proven,
    )


def _night(dags: Path, home: Path, checks: _Checks) -> None:
    from airflow_multicloud.demo import advice
    from airflow_multicloud.demo.costs import night

    advice.seed()
    _say(
        "\nDAG nightly_cost",
        "wait → ingest → quality → compare, anomalies, DAGs, workload → budget → recommend "
        "→ report → export",
    )
    night(_load(dags / "nightly_cost.py"), home, console, checks.that)


def _databases(home: Path, checks: _Checks) -> None:
    from airflow_multicloud.demo.databases import restore

    _say(
        "\nA database restored into scratch and verified by SQL",
        "each instance of the local RDS is a PostgreSQL server of this machine",
    )
    restore(home, console, checks.that)


def _release(dags: Path, home: Path, checks: _Checks) -> None:
    from airflow_multicloud.demo import rollouts
    from airflow_multicloud.demo.releases import release

    _say(
        "\nDAG release",
        "preflight → upload → plan and its cost → deploy → health → summary → export → page; the "
        "instances are processes of this machine, which run with your rights",
    )
    release(_load(dags / "release.py"), home, console, checks.that)
    rollouts.break_one(home, console, checks.that)


def _lost_primary(clouds: LocalClouds, home: Path, checks: _Checks) -> None:
    from airflow_multicloud import api

    _say("\nThe primary's server killed (SIGKILL)")
    clouds.aws.kill()
    target = home / "recovered"
    shutil.rmtree(target, ignore_errors=True)
    fetched = api.failover_fetch([PRIMARY, *REPLICAS], target)
    assert isinstance(fetched, api.TreeProvenance)  # noqa: S101 - prefixes give trees
    served = ", ".join(f"{n} objects from {uri}" for uri, n in fetched.served.items())
    checks.that(
        f"still served: {served}, {fetched.size / 1e6:.1f} MB, all verified by "
        f"{', '.join(fetched.verified_by)}",
        holds=set(fetched.served) <= set(REPLICAS) and set(fetched.verified_by) == {"ledger"},
    )
    console.print(f"    first failed attempt: {fetched.attempts[0]}")


def _kept(home: Path) -> None:
    """Where what the pipelines have written can be read."""
    from airflow_multicloud.demo.costs import REPORTS
    from airflow_multicloud.demo.releases import PAGE
    from airflow_multicloud.opening.endpoints import open_endpoint

    replica = open_endpoint(REPLICAS[0], parameter="replica")
    *_, last = replica.store.list_objects(replica.bucket, ".airflow-multicloud/evidence/")
    for suffix in ("json", "html"):
        key = f"{last.key.rpartition('.')[0]}.{suffix}"
        content = bytes(replica.store.get_object(replica.ref(key)).read())
        (home / f"evidence.{suffix}").write_bytes(content)
    table = Table("pipeline", "wrote", "which is", box=None, pad_edge=False)
    table.add_row("disaster_recovery", "evidence", str(home / "evidence.html"))
    table.add_row("release", "release summary", str(home / PAGE))
    for page in sorted((home / REPORTS).rglob("report.html")):
        table.add_row("nightly_cost", "cost report", str(page))
    console.print()
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
