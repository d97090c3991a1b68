"""What each service's page has from code: the port's verbs, and what each cloud has of it.

A page marks where with ``<!-- capabilities: SERVICE -->`` and ``<!-- end of capabilities -->``;
what is between is replaced.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from airflow_multicloud import registry
from airflow_multicloud.ports import (
    compute,
    cost,
    database,
    identity,
    logs,
    metrics,
    object_store,
    secrets,
)
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.contracts.object_store.rigs import OPTIONAL_CAPABILITIES
from airflow_multicloud.testing.contracts.rigs import has_capability
from airflow_multicloud.testing.local_clouds.servers import MAKERS, Server

_DOCS = Path(__file__).parent
_END = "<!-- end of capabilities -->"
_NOTE = "<!-- Written by docs/generate.py from the code, up to the end of capabilities. -->"


#: Cloud and service → servers of other names.
_ALSO: Mapping[tuple[str, str], tuple[Server, ...]] = MappingProxyType(
    {
        ("aws", "object_store"): (Server.AWS_SECOND_OBJECT_STORE,),
        ("aws", "cost"): (Server.AWS_OBJECT_STORE,),
        ("gcp", "cost"): (Server.GCP_BIGQUERY,),
        ("azure", "cost"): (Server.AZURE_OBJECT_STORE,),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePage:
    """One service.

    :param title: as people call it.
    :param page: the page, below ``docs/``.
    :param port: what every cloud's hook is.
    :param always: protocols beside the port that every hook has, too.
    :param optional: what a hook may have besides.
    """

    title: str
    page: str
    port: type
    always: tuple[type, ...] = ()
    optional: tuple[type, ...] = ()


#: Service → its page, in the order of the support matrix.
SERVICES: Mapping[str, ServicePage] = MappingProxyType(
    {
        "object_store": ServicePage(
            title="object storage",
            page="object-storage.md",
            port=object_store.ObjectStore,
            optional=OPTIONAL_CAPABILITIES,
        ),
        "metrics": ServicePage(
            title="metrics",
            page="metrics.md",
            port=metrics.Metrics,
            optional=(metrics.OtlpMetrics,),
        ),
        "logs": ServicePage(title="logs", page="logs.md", port=logs.Logs),
        "secrets": ServicePage(
            title="secrets",
            page="secrets.md",
            port=secrets.Secrets,
            always=(secrets.SecretVersions, secrets.SecretTags),
            optional=(secrets.SecretRecovery, secrets.SecretVersionStates),
        ),
        "compute": ServicePage(
            title="virtual machines",
            page="compute.md",
            port=compute.Compute,
            always=(compute.InstanceLabels,),
            optional=(compute.ConsoleOutput,),
        ),
        "database": ServicePage(
            title="databases",
            page="databases.md",
            port=database.Database,
            always=(
                database.DatabasePlaces,
                database.DatabaseSnapshots,
                database.ReplicaPromotion,
                database.DatabasePower,
            ),
        ),
        "cost": ServicePage(
            title="cost",
            page="costs.md",
            port=cost.Cost,
            optional=(
                cost.CostQueries,
                cost.CostForecasts,
                cost.CostRecommendations,
                cost.PriceLists,
            ),
        ),
        "identity": ServicePage(
            title="identity",
            page="identity.md",
            port=identity.Identity,
            optional=(identity.PermissionChecks, identity.ScopedTokens),
        ),
    }
)


def our_clouds() -> list[registry.Cloud]:
    """Those of this distribution, the memory cloud last; others have documentation of their own."""
    memory_cloud.register()
    ours = [c for c in registry.list_providers() if c.module.startswith("airflow_multicloud.")]
    return sorted(ours, key=lambda cloud: (cloud.name == memory_cloud.NAME, cloud.title))


def pages() -> dict[Path, str]:
    """Each service's page, with what is so now."""
    return {_DOCS / one.page: _renewed(name, one) for name, one in SERVICES.items()}


def what_is_missing(service: str, cloud: registry.Cloud) -> str:
    """``yes``, and which optional capabilities are not there; ``–`` without the service."""
    if (hook := _hook(service, cloud)) is None:
        return "–"
    missing = [c for c in SERVICES[service].optional if not has_capability(hook, c)]
    return f"yes, without {', '.join(f'`{c.__name__}`' for c in missing)}" if missing else "yes"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _renewed(service: str, one: ServicePage) -> str:
    text = (_DOCS / one.page).read_text()
    begin = f"<!-- capabilities: {service} -->"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(_END)
    if not (found and ended):
        raise ValueError(f"docs/{one.page} lacks {begin!r} or {_END!r}")
    return f"{before}{begin}\n{_NOTE}\n\n{_fragment(service, one)}\n{_END}{after}"


def _fragment(service: str, one: ServicePage) -> str:
    clouds = our_clouds()
    titles = [cloud.title for cloud in clouds]
    verbs = [
        [f"`{verb}`", _first_line(getattr(protocol, verb))]
        for protocol in (one.port, *one.always)
        for verb in _verbs(protocol)
    ]
    has = [
        [
            _link(service, protocol),
            _first_line(protocol),
            *(_has(service, cloud, protocol) for cloud in clouds),
        ]
        for protocol in one.optional
    ]
    servers = ["local server", "stands in for it", *(_servers(service, c) for c in clouds)]
    port = _link(service, one.port)
    return (
        f"Every cloud has the verbs of the port, {port}:\n\n{table(['verb', 'does'], verbs)}\n"
        f"{table(['optional', 'is', *titles], [*has, servers])}"
    )


def _verbs(protocol: type) -> list[str]:
    return [name for name, value in vars(protocol).items() if _is_verb(name, value)]


def _is_verb(name: str, value: Any) -> bool:
    return inspect.isfunction(value) and not name.startswith("_")


def _first_line(documented: Any) -> str:
    text = " ".join((inspect.getdoc(documented) or "").partition("\n\n")[0].split())
    for word in ("Optional capability: ", "Capability: "):
        text = text.removeprefix(word)
    return text.replace("``", "`").replace("|", "\\|").partition(" :param")[0]


def _link(service: str, protocol: type) -> str:
    anchor = f"airflow_multicloud.ports.{service}.{protocol.__name__}"
    return f"[`{protocol.__name__}`](reference/ports.md#{anchor})"


def _has(service: str, cloud: registry.Cloud, protocol: type) -> str:
    hook = _hook(service, cloud)
    return "yes" if hook is not None and has_capability(hook, protocol) else "–"


def _hook(service: str, cloud: registry.Cloud) -> Any:
    if find_spec(f"{cloud.module}.{service}") is None:
        return None
    return importlib.import_module(f"{cloud.module}.{service}").Hook


def _servers(service: str, cloud: registry.Cloud) -> str:
    """By the names that ``--with`` takes."""
    if cloud.name == memory_cloud.NAME:
        return "none needed"
    names = (f"{cloud.name}.{service}", *_ALSO.get((cloud.name, service), ()))
    named = [server for server in MAKERS if server in names]
    return ", ".join(f"`{server}`" for server in named)
