"""The demo's release: the DAG, with three clouds' machines to release to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from airflow.sdk import DAG
from rich.console import Console

from airflow_multicloud import api
from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.cost.prices import Meter, Price, PriceTable
from airflow_multicloud.core.cost.prices.file import bundled_prices, format_prices
from airflow_multicloud.demo import rollouts, telemetry
from airflow_multicloud.demo.environment import allow
from airflow_multicloud.demo.steps import Step, steps_of, table_of, values_of
from airflow_multicloud.demo.telemetry import Claim, Figure
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.testing.sample_app import write_sample_app

#: The summary's page, below the demo's directory.
PAGE = "release-summary.html"
_KEPT = "s3://aws_local@apps/builds/"
_REPLICAS = ("gs://gcp_signing_local@apps/builds/", "abfs://wasb_local@apps/builds/")
#: Of sizes and regions that the packaged list prices do not have.
_EXAMPLES = {("gcp", "e2-small", "us-central1"): "0.0168", ("azure", "B1ms", "westeurope"): "0.024"}


def release(dag: DAG, home: Path, console: Console, claim: Claim) -> None:
    """Run the DAG for a good revision, and check what it says.

    :param home: of the demo.
    """
    apps = home / "apps"
    apps.mkdir(parents=True, exist_ok=True)
    for uri in rollouts.PLACES.values():
        api.make_bucket(uri)
    artifact = write_sample_app(apps / "app-1.0.tar.gz")
    prices = home / "prices.csv"
    prices.write_bytes(format_prices(_prices()))
    lists = {"replicas": list(_REPLICAS), "metrics_to": list(telemetry.CONNECTIONS)}
    ones = {"artifact": str(artifact), "destination": _KEPT, "prices": str(prices)}
    ones["deployment_id"] = rollouts.DEPLOYMENT
    allow(dag, {**{name: [one] for name, one in ones.items()}, **lists})
    os.environ["AIRFLOW_VAR_RELEASE_TARGETS"] = json.dumps(rollouts.targets())
    run = dag.test(
        run_conf={
            **ones,
            **lists,
            "revision": "1.0",
            "approve": False,
            "max_monthly_cost": "100 USD",
            "health": rollouts.HEALTH,
            "policy": rollouts.POLICY,
            # The stand-ins can't say what is allowed.
            "on_unknown": "warn",
        }
    )
    steps = steps_of(run)
    console.print(table_of(steps))
    claim(f"the DAG run ended with {run.state}", holds=str(run.state) == "success")
    answered = {cloud: rollouts.answer(one) for cloud, one in rollouts.instances().items()}
    told = ", ".join(f"{cloud} {text}" for cloud, text in answered.items())
    claim(
        f"each was fetched by a signed URL, verified, started, and answers with its revision: "
        f"{told}",
        holds=answered == dict.fromkeys(rollouts.PLACES, "1.0"),
    )
    results = values_of(steps)
    telemetry.read_back(_figures(results), console, claim)
    _page(steps, home, claim)


def _prices() -> PriceTable:
    table = bundled_prices()
    pattern = next(one for one in table.prices if one.meter is Meter.COMPUTE)
    return PriceTable(table.prices + tuple(_example(pattern, *key) for key in _EXAMPLES))


def _example(pattern: Price, cloud: str, size: str, region: str) -> Price:
    return replace(
        pattern,
        cloud=cloud,
        sku=size,
        region_id=region,
        list_unit_price=Decimal(_EXAMPLES[cloud, size, region]),
        source="an example of the demo",
    )


def _figures(results: Mapping[str, Any]) -> list[Figure]:
    """Some of those that the run has exported."""
    if (report := results.get("deploy")) is None:
        return []
    whose = {"multicloud.deployment": rollouts.DEPLOYMENT}
    counted = {**whose, "multicloud.outcome": "succeeded"}
    return [
        Figure("multicloud.release.success_rate", report["success_rate"], whose),
        Figure("multicloud.release.targets", report["counts"]["succeeded"], counted),
    ]


def _page(steps: list[Step], home: Path, claim: Claim) -> None:
    """Fetch the summary's page, which says what was planned and done."""
    results = values_of(steps)
    kept, plan = results.get("summary_page"), results.get("plan") or {"hash": "none"}
    page = b""
    if kept:
        end = open_endpoint(kept["uri"], parameter="uri")
        page = bytes(end.store.get_object(end.ref(end.location.key)).read())
        (home / PAGE).write_bytes(page)
    digest = sha256_of(page)
    claim(
        f"the summary is a page, kept beside the artifact, with its SHA-256 {digest[:12]}…",
        holds=(kept or {}).get("sha256") == digest
        and (plan or {}).get("hash", "no plan").encode() in page,
    )
