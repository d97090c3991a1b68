"""The name of every span: what the operations of this package may be called in a trace.

The page "Telemetry" of the documentation shows the same names and descriptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Name without its prefix ``multicloud.`` → what the span is around.
SPANS: Mapping[str, str] = MappingProxyType(
    {
        "replicate": "a replication in one task",
        "replicate.plan": "a plan: of a dry run, or of a sharded replication",
        "replicate.shard": "one shard of a sharded replication",
        "replicate.close": "the close of a sharded replication",
        "replicate.small_objects": "all small objects of a replication",
        "replicate.object": "one large object of a replication",
        "verify_replica": "a verification",
        "replica_freshness": "one look of a sensor at a replica's lag",
        "replica_status": "how a replica stands",
        "list_runs": "the runs recorded beside a replica",
        "failover_fetch": "fetching one object",
        "failover_fetch.attempt": "one attempt at one candidate",
        "failover_fetch_tree": "fetching a prefix",
        "list_objects": "a listing, until its first answer",
        "upload": "an upload",
        "plan_upload": "what an upload would do",
        "make_bucket": "a bucket that is created",
        "cleanup": "a search for what killed runs have left (also for a status), and its removal",
        "run_drill": "a whole drill, from the canary to the evidence",
        "drill": "the recovery in a drill",
        "store_evidence": "a drill's evidence that is written",
        "read_evidence": "a drill's evidence that is read",
        "verify_evidence": "a bucket's chain of evidence that is checked",
        "check_connection": "a connection check",
        "check_location": "a look at the bucket of a location",
        "check_operations": "one look at operations that a task waits for",
        "deploy": "a whole rollout, from the delivery to the last target",
        "deploy.plan": "a plan for a rollout",
        "deploy.deliver": "the artifact that is brought near every target",
        "deploy.slot": "one place for an instance, until it rests",
        "power_instance": "an instance that is started or stopped, until its cloud has answered",
        "list_deployments": "a listing of what carries deployments' labels",
        "teardown": "a deployment that is taken down, to the closing listing",
        "cost.ingest": "one billing period of an export that is ingested",
        "cost.export_freshness": "how old an export's newest version is",
        "cost.stored_exports": "what a cost store has",
        "cost.remove_export": "an export that is taken out of a cost store",
        "cost.prune_store": "old versions that are deleted",
        "cost.open_store": "the files and tables of a cost store that a question needs",
        "cost.check_quality": "the checks of one export's billing period",
        "cost.compare": "what each cloud cost",
        "cost.smallest_bill": "which cloud charged least",
        "cost.find_anomalies": "services whose cost jumped",
        "cost.forecast": "what a period will have cost",
        "cost.assess_budget": "a budget, and what is known of it",
        "cost.attribute": "what each DAG and task cost",
        "cost.price_workload": "a workload priced on each cloud",
        "cost.own_prices": "the unit prices of the bill for a workload",
        "cost.estimate_transfer": "what a transfer will cost",
        "cost.query": "a cloud's own cost API",
        "cost.recommend": "one cloud's recommendations",
        "cost.rank_recommendations": "the recommendations of all clouds, ranked",
        "cost.read_recommendations": "recommendations that are read from a file",
        "cost.write_recommendations": "recommendations that are written to a file",
        "cost.report": "all questions of a report",
        "cost.write_report": "a report that is written",
        "cost.read_prices": "a price table that is read",
        "cost.read_rates": "exchange rates that are read from an object",
        "cost.refresh_prices": "price lists that are fetched",
        "cost.refresh_rates": "exchange rates that are fetched",
        "ship_logs": "records that are shipped to logs",
        "ship_logs.portion": "some of the records, at one cloud",
        "query_logs": "a question to the logs of all clouds",
        "query_logs.page": "one page of a cloud's answer",
    }
)
