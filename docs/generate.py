"""Write what the documentation can know from code and mkdocstrings does not: the support matrix.

``python docs/generate.py`` writes it; with ``--check`` it only says whether it is out of date, and
then ends with status 1.
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from airflow_multicloud import registry
from airflow_multicloud.ports import compute, cost, identity, secrets
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.contracts.object_store.rigs import OPTIONAL_CAPABILITIES
from airflow_multicloud.testing.contracts.rigs import has_capability

DOCS = Path(__file__).parent

NOTE = "<!-- Written by docs/generate.py from the code; `python docs/generate.py` renews it. -->\n"

#: The services a cloud may have; those without a port are not there yet.
SERVICES = (
    "object_store",
    "metrics",
    "logs",
    "secrets",
    "compute",
    "database",
    "cost",
    "identity",
)


#: Service → what its hooks may have besides.
CAPABILITIES: dict[str, tuple[type, ...]] = {
    "object_store": OPTIONAL_CAPABILITIES,
    "cost": (
        cost.CostQueries,
        cost.CostForecasts,
        cost.CostRecommendations,
        cost.PriceLists,
    ),
    "compute": (compute.ConsoleOutput,),
    "secrets": (secrets.SecretRecovery, secrets.SecretVersionStates),
    "identity": (identity.PermissionChecks, identity.ScopedTokens),
}


def main(arguments: list[str]) -> int:
    """Write the page, or check it."""
    path, text = DOCS / "support-matrix.md", support_matrix()
    stale = not path.is_file() or path.read_text() != text
    if arguments == ["--check"]:
        if stale:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)} is out of date\n")
        return int(stale)
    if stale:
        path.write_text(text)
    return 0


def support_matrix() -> str:
    """Which cloud has which service, and which optional capabilities its object store has."""
    memory_cloud.register()
    # Others may be installed beside this distribution; they have documentation of their own.
    ours = [c for c in registry.list_providers() if c.module.startswith("airflow_multicloud.")]
    clouds = sorted(ours, key=lambda cloud: (cloud.name == "memory", cloud.title))
    modules = [cloud.module for cloud in clouds]
    head = ["", *(cloud.title for cloud in clouds)]
    services = [[f"`{name}`", *(_service(name, c.module) for c in clouds)] for name in SERVICES]
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
        f"## Clouds\n\n{_table(head, facts)}\n"
        f"## Services\n\n{_table(head, services)}\n"
        "## Optional capabilities\n\n"
        + "".join(
            f"### `{service}`\n\n{_table(head, _capabilities(service, modules))}\n"
            for service in CAPABILITIES
        )
        + "Each capability has a contract class that runs against every hook that has it; see "
        "[Run the contract suite](how-to/contract-suite.md).\n"
    )


def _capabilities(service: str, modules: list[str]) -> list[list[str]]:
    there = [find_spec(f"{module}.{service}") is not None for module in modules]
    hooks = [
        importlib.import_module(f"{module}.{service}").Hook if found else None
        for module, found in zip(modules, there, strict=True)
    ]
    return [
        [
            f"[`{capability.__name__}`](reference/ports.md#airflow_multicloud.ports.{service}."
            f"{capability.__name__})",
            *(
                "yes" if hook is not None and has_capability(hook, capability) else "–"
                for hook in hooks
            ),
        ]
        for capability in CAPABILITIES[service]
    ]


def _service(name: str, module: str) -> str:
    if find_spec(f"airflow_multicloud.ports.{name}") is None:
        return "not yet"
    return "–" if find_spec(f"{module}.{name}") is None else "yes"


def _codes(texts: Any) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
