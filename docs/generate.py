"""Write what the documentation can know from code and mkdocstrings does not.

That is the support matrix, the minimum permissions, and what editors read of packages that import
names when asked for. ``python docs/generate.py`` writes them; with ``--check`` it only says whether
they are out of date, and then ends with status 1.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import gaps
import services
from faces import stubs

from airflow_multicloud import registry
from airflow_multicloud.core.preflight.granting import Described, calls_of
from airflow_multicloud.core.preflight.needs import Need
from airflow_multicloud.core.preflight.operations import needs_of, operations_of

DOCS = Path(__file__).parent

NOTE = "<!-- Written by docs/generate.py from the code; `python docs/generate.py` renews it. -->\n"


def main(arguments: list[str]) -> int:
    """Write the pages and stubs, or check them."""
    pages = {
        DOCS / "support-matrix.md": support_matrix(),
        DOCS / "permissions.md": minimum_permissions(),
        **services.pages(),
        **gaps.pages(),
        **stubs(),
    }
    stale = [path for path, text in pages.items() if not path.is_file() or path.read_text() != text]
    if arguments == ["--check"]:
        for path in stale:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)} is out of date\n")
        return int(bool(stale))
    for path in stale:
        path.write_text(pages[path])
    return 0


def support_matrix() -> str:
    """Which cloud has which service, and which optional capabilities it lacks."""
    clouds = services.our_clouds()
    head = ["", *(cloud.title for cloud in clouds)]
    rows = [
        [f"[{one.title}]({one.page})", *(services.what_is_missing(name, c) for c in clouds)]
        for name, one in services.SERVICES.items()
    ]
    facts = [
        ["connection types", *(_codes(c.conn_types) for c in clouds)],
        ["URI schemes", *(_codes(f"{s}://" for s in c.uri_schemes) for c in clouds)],
        ["for exports only", *(_codes(f"{s}://" for s in c.export_schemes) for c in clouds)],
        ["default connection", *(_codes(dict.fromkeys(c.uri_schemes.values())) for c in clouds)],
        ["install", *(f"`{c.requirement}`" for c in clouds)],
    ]
    return (
        f"{NOTE}\n# Support matrix\n\n"
        "Found in the installed code, not written by hand: a service is there when its port and "
        "the cloud's module for it are, an optional capability when the cloud's hook has every "
        "member of it. The in-memory cloud is for tests.\n\n"
        f"## Clouds\n\n{services.table(head, facts)}\n"
        f"## Services\n\n{services.table(head, rows)}\n"
        "Each service's page has the whole table: its verbs, its optional capabilities, and the "
        "local server that stands in for each cloud. Each capability has a contract class that "
        "runs against every hook that has it; see [Run the contract "
        "suite](how-to/contract-suite.md). What was tried against what is on the page "
        "[Validation](validation.md).\n"
    )


#: What is documented: title → operation and its parameters, whose needs, and in which words a
#: parameter asks for more.
_PLACE, _ELSEWHERE = "{scheme}://c@bucket/prefix/", "{other}://c@bucket/"
_OBJECT = "{scheme}://c@bucket/prefix/object"
#: Stand for a name and the beginning of names, which no cloud writes otherwise.
_NAMED, _BEGUN = "named", "begun"
#: What resources have in its place.
_SHOWN = {"prefix/object": "{key}", "prefix/": "{prefix}", _NAMED: "{name}", _BEGUN: "{prefix}"} | {
    f"x-{word}": f"{{{word}}}"
    for word in (
        *("deployment", "region", "group", "network", "subnet", "security", "identity", "instance"),
        "image-project",
    )
}
#: A database that only the run tells, so that its resource is any.
_ANY = "{{ any }}"
_REPLICATION = {"source": _PLACE, "destinations": [_ELSEWHERE], "versioned": False}
_TO_REPLICA = {"source": _ELSEWHERE, "destinations": [_PLACE], "versioned": False}
#: What is attached to and acted as, where clouds have ids of it.
_IN_GROUP = "/subscriptions/{subscription}/resourceGroups/x-group/providers"
_OF_CLOUDS = {
    "aws": {
        "subnet": "x-subnet",
        "security": "x-security",
        "identity": "x-identity",
        "instance": "x-instance",
        "image": "ami-x-instance",
    },
    "gcp": {
        "subnet": "x-subnet",
        "security": "x-security",
        "identity": "x-identity",
        "instance": "projects/p/zones/z/instances/x-instance",
        "image": "projects/x-image-project/global/images/family/f",
    },
    "azure": {
        "subnet": f"{_IN_GROUP}/Microsoft.Network/virtualNetworks/x-network/subnets/x-subnet",
        "security": f"{_IN_GROUP}/Microsoft.Network/networkSecurityGroups/x-security",
        "identity": f"{_IN_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/x-identity",
        "instance": f"{_IN_GROUP}/Microsoft.Compute/virtualMachines/x-instance",
        "image": f"{_IN_GROUP}/Microsoft.Compute/images/x-instance",
    },
}
_NETWORK = {"subnets": ["{subnet}"]}
_TARGET: dict[str, Any] = {
    "name": "main",
    "conn_id": "c",
    "region": "x-region",
    "size": "s",
    "network": _NETWORK,
    "resource_group": "x-group",
    "artifacts": _PLACE,
}
_DEPLOYMENT = {"deployment_id": "x-deployment", "targets": [_TARGET], "versioned": False}
_FROM_A_FILE = {**_DEPLOYMENT, "artifact": "/app.tar.gz"}
_INSTANCE = {"conn_id": "c", "instance_id": "{instance}", "region": "x-region"}


def _target(**changed: Any) -> dict[str, Any]:
    return {"targets": [{**_TARGET, **changed}]}


#: What a target may ask for, and in which words.
_ASKED_OF_TARGETS = {
    "`security_groups`": _target(network={**_NETWORK, "security_groups": ["{security}"]}),
    "`public_address`": _target(network={**_NETWORK, "public_address": True}),
    "`identity`": _target(identity="{identity}"),
    "`image`, if it is not public": _target(image="{image}"),
    "a `size` by need": _target(size={"vcpus": 1, "memory_gib": 1}),
}
_USES: tuple[tuple[str, str, dict[str, Any], str, dict[str, dict[str, Any]]], ...] = (
    (
        "Read the source of a replication",
        "replicate",
        _REPLICATION,
        "replicate: source",
        {"`preserve_tags`": {"preserve_tags": True}},
    ),
    (
        "Read one object as the source of a replication",
        "replicate",
        {**_REPLICATION, "source": _OBJECT},
        "replicate: source",
        {
            "the bucket keeps versions": {"versioned": True},
            "`preserve_tags`": {"preserve_tags": True},
            "`preserve_tags` and the bucket keeps versions": {
                "preserve_tags": True,
                "versioned": True,
            },
        },
    ),
    (
        "Replicate to a destination",
        "replicate",
        _TO_REPLICA,
        "replicate: destination",
        {
            "the bucket keeps versions": {"versioned": True},
            "`preserve_tags`": {"preserve_tags": True},
            "`delete_extraneous`": {"delete_extraneous": True},
            "`create_buckets`": {"create_buckets": True},
            "`encryption_key`": {"destinations": [{"uri": _PLACE, "encryption_key": "{key}"}]},
        },
    ),
    (
        "Replicate in shards, to the first destination",
        "sharded_replication",
        _TO_REPLICA,
        "sharded_replication: files of the run",
        {},
    ),
    (
        "Upload",
        "upload",
        {"destination": _PLACE, "versioned": False},
        "upload: destination",
        {
            "the bucket keeps versions": {"versioned": True},
            "`replicate_to`": {"replicate_to": [_ELSEWHERE]},
            "`encryption_key`": {"destination": {"uri": _PLACE, "encryption_key": "{key}"}},
        },
    ),
    ("Verify a replica", "verify", {"replica": _PLACE}, "verify: replica", {}),
    (
        "Verify a replica, at a sibling",
        "verify",
        {"replica": _ELSEWHERE, "siblings": [_PLACE]},
        "verify: sibling",
        {},
    ),
    (
        "Fetch from a candidate",
        "fetch",
        {"candidates": [_PLACE], "target": "/data/", "versioned": False},
        "fetch: candidate",
        {"the bucket keeps versions": {"versioned": True}},
    ),
    (
        "Fetch into a bucket",
        "fetch",
        {"candidates": [_ELSEWHERE], "target": _PLACE, "versioned": False},
        "fetch: target",
        {"the bucket keeps versions": {"versioned": True}},
    ),
    (
        "Hold a drill, at the primary",
        "drill",
        {"primary": _PLACE, "replicas": [_ELSEWHERE], "versioned": False},
        "drill: primary",
        {"the bucket keeps versions": {"versioned": True}},
    ),
    (
        "Hold a drill, at a replica",
        "drill",
        {"primary": _ELSEWHERE, "replicas": [_PLACE], "versioned": False},
        "drill: replica",
        {"the bucket keeps versions": {"versioned": True}},
    ),
    (
        "Keep the evidence of a drill",
        "drill",
        {"primary": _ELSEWHERE, "replicas": [_ELSEWHERE], "places": [_PLACE]},
        "drill: evidence",
        {},
    ),
    (
        "Export metrics",
        "export_metrics",
        {"destinations": ["c"]},
        "export_metrics: destination",
        {'`transport="otlp"`': {"transport": "otlp"}},
    ),
    (
        "Ship logs",
        "ship_logs",
        {"destinations": ["c"], "log_name": "{log}"},
        "ship_logs: destination",
        {},
    ),
    (
        "Query logs",
        "query_logs",
        {"connections": ["c"], "log_name": "{log}"},
        "query_logs: connection",
        {},
    ),
    (
        "Deploy, from a bucket",
        "deploy",
        {**_DEPLOYMENT, "artifact": _OBJECT},
        "deploy: artifact",
        {"the bucket keeps versions": {"versioned": True}},
    ),
    (
        "Deploy, near a target",
        "deploy",
        _FROM_A_FILE,
        "deploy: artifacts",
        {
            "the bucket keeps versions": {"versioned": True},
            "`artifact` in a bucket": {"artifact": _ELSEWHERE + "app.tar.gz"},
            "`artifact` in a bucket and the bucket keeps versions": {
                "artifact": _ELSEWHERE + "app.tar.gz",
                "versioned": True,
            },
        },
    ),
    ("Deploy, at a target", "deploy", _FROM_A_FILE, "deploy: target", _ASKED_OF_TARGETS),
    (
        "Roll back, near a target",
        "rollback",
        _DEPLOYMENT,
        "rollback: artifacts",
        {"the bucket keeps versions": {"versioned": True}},
    ),
    ("Roll back, at a target", "rollback", _DEPLOYMENT, "rollback: target", _ASKED_OF_TARGETS),
    (
        "Keep the summary of a release",
        "summarize_release",
        {"places": [_PLACE]},
        "summarize_release: place",
        {},
    ),
    (
        "Tear a deployment down",
        "teardown",
        {"deployment_id": "x-deployment", "conn_ids": ["c"], "regions": {"c": ["x-region"]}},
        "teardown",
        {"no `regions` are given": {"regions": None}},
    ),
    ("Start an instance", "start_instance", _INSTANCE, "start_instance", {}),
    ("Stop an instance", "stop_instance", _INSTANCE, "stop_instance", {}),
    (
        "Read the source of a synchronisation of secrets",
        "sync_secrets",
        {"source": "c", "destinations": ["d"], "names": [_NAMED]},
        "sync_secrets: source",
        {"`prefix`": {"names": None, "prefix": _BEGUN}},
    ),
    (
        "Synchronise secrets to a destination",
        "sync_secrets",
        {"source": "c", "destinations": ["d"], "names": [_NAMED], "preserve_tags": False},
        "sync_secrets: destination",
        {
            "`preserve_tags`": {"preserve_tags": True},
            '`on_conflict="overwrite"`': {"on_conflict": "overwrite"},
            '`prefix`, `deletion_policy="remove"`': {
                "names": None,
                "prefix": _BEGUN,
                "deletion_policy": "remove",
            },
        },
    ),
    (
        "Take a snapshot of a database",
        "snapshot_database",
        {"conn_id": "c", "database": _ANY},
        "snapshot_database",
        {"`keep`": {"keep": 7}},
    ),
    (
        "Remove a snapshot of a database",
        "remove_snapshot",
        {"conn_id": "c", "snapshot": _ANY},
        "remove_snapshot",
        {},
    ),
    (
        "Remove the snapshots that a task has taken",
        "remove_snapshot",
        {"conn_id": "c", "snapshot_task_id": "snapshot"},
        "remove_snapshot",
        {},
    ),
    (
        "Restore a snapshot of a database",
        "restore_database",
        {"conn_id": "c", "snapshot": _ANY},
        "restore_database",
        {"`deletion_protected`": {"deletion_protected": True}},
    ),
    (
        "Restore a database as it was",
        "restore_database",
        {"conn_id": "c", "database": _ANY},
        "restore_database",
        {"`deletion_protected`": {"deletion_protected": True}},
    ),
    (
        "Promote a replica",
        "promote_replica",
        {"conn_id": "c", "replica": _ANY},
        "promote_replica",
        {},
    ),
    (
        "Verify a database",
        "verify_database",
        {"conn_id": "c", "database": _ANY},
        "verify_database",
        {},
    ),
    (
        "Remove a database",
        "remove_database",
        {"conn_id": "c", "database": _ANY},
        "remove_database",
        {"`final_snapshot`": {"final_snapshot": "last"}},
    ),
    (
        "Remove what a task has restored",
        "remove_database",
        {"conn_id": "c", "restore_task_id": "restore"},
        "remove_database",
        {},
    ),
)


def minimum_permissions() -> str:
    """What each operation needs to be allowed, as preflight checks it."""
    ours = [
        cloud
        for cloud in registry.list_providers()
        if cloud.module.startswith("airflow_multicloud.clouds.")
    ]
    return (
        f"{NOTE}\n# Minimum permissions\n\n"
        "From the same map as [preflight](preflight.md). Tests record every request that the "
        "local clouds receive during each of these operations, and compare: nothing is missing, "
        "and nothing is unused. An operation that is not here has no such proof.\n\n"
        "What stands in braces is yours to fill in. Without what is marked *optional*, the "
        "operation works all the same, but for what is said.\n\n"
        + "\n".join(_permissions_of(cloud) for cloud in sorted(ours, key=lambda c: c.title))
    )


def _permissions_of(cloud: registry.Cloud) -> str:
    return f"## {cloud.title}\n\n" + "\n".join(
        f"### {title} {{: #{cloud.name}-{title.lower().replace(',', '').replace(' ', '-')} }}\n\n"
        + services.table(["permission", "on", ""], _rows(cloud, name, given, what, more))
        for title, name, given, what, more in _USES
    )


def _rows(
    cloud: registry.Cloud,
    name: str,
    given: dict[str, Any],
    what: str,
    more: dict[str, dict[str, Any]],
) -> list[list[str]]:
    known = _grants(cloud, name, given, what)
    rows = [_row(*grant, "", without) for grant, without in known.items()]
    for words, changed in more.items():
        found = _grants(cloud, name, {**given, **changed}, what)
        new = {
            grant: without
            for grant, without in found.items()
            if grant not in known or (known[grant] and not without)
        }
        rows += [_row(*grant, words, without) for grant, without in new.items()]
        known |= new
    return rows


def _row(permission: str, resource: str, condition: str, when: str, without: str) -> list[str]:
    notes = [f"with {when}" if when.startswith("`") else f"where {when}"] if when else []
    notes += [f"only `{condition}`"] if condition else []
    notes += [f"*optional*: without it, {without}"] if without else []
    return [f"`{permission}`", f"`{resource}`", "; ".join(notes)]


def _grants(
    cloud: registry.Cloud, name: str, given: dict[str, Any], what: str
) -> dict[tuple[str, str, str], str]:
    """Permission, resource and condition → what is lost without it."""
    (scheme, *_), other = cloud.uri_schemes, "gs" if cloud.name != "gcp" else "s3"
    filled = _filled(given, scheme=scheme, other=other, **_OF_CLOUDS[cloud.name])
    needs = needs_of(operations_of({name: filled}))
    facts = registry.part_of(cloud, "identity.facts").facts_of(None)

    def describe(need: Need) -> Described:
        facts_here = {**facts, "region": facts.get("region", "").replace("*", "{region}")}
        return registry.part_of(cloud, f"{need.service}.calls").TABLE, facts_here

    ours = [
        replace(
            need,
            facts={**need.facts, "bucket": "{bucket}"} if "bucket" in need.facts else need.facts,
        )
        for need in needs
        if need.what == what
    ]
    found: dict[tuple[str, str, str], str] = {}
    for one in calls_of(ours, describe):
        for permission in one.call.permissions:
            resource = one.resource
            for words, shown in _SHOWN.items():
                resource = resource.replace(words, shown)
            condition = "` and `".join(map(str, one.conditions))
            condition = condition.replace("x-deployment", "{deployment}")
            grant = (permission, resource, condition)
            # What any call needs is no option.
            found[grant] = one.call.without if found.get(grant, "first") else ""
    return found


def _filled(given: Any, **names: str) -> Any:
    if isinstance(given, dict):
        return {key: _filled(value, **names) for key, value in given.items()}
    if isinstance(given, list):
        return [_filled(value, **names) for value in given]
    if isinstance(given, str):
        for name, value in names.items():
            given = given.replace(f"{{{name}}}", value)
    return given


def _codes(texts: Any) -> str:
    return ", ".join(f"`{text}`" for text in texts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
