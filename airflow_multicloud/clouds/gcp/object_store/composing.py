"""Composing many objects into one, in their order.

Composing takes 1 to 32 sources, see https://cloud.google.com/storage/docs/composite-objects
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.pools import map_in_context
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.json_api import JsonApi, object_path

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPOSE_LIMIT = 32
#: Requests under way at once.
THREADS = 16


def compose_tree(
    api: JsonApi, bucket: str, target: str, sources: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Compose (name, generation) pairs in their order, level by level."""
    with ThreadPoolExecutor(THREADS) as pool:
        level = 0
        while True:
            level += 1
            groups = [
                sources[at : at + _COMPOSE_LIMIT] for at in range(0, len(sources), _COMPOSE_LIMIT)
            ]
            named = [(f"{target}-{level}-{n:05d}", group) for n, group in enumerate(groups)]
            composed = map_in_context(pool, lambda one: _compose(api, bucket, *one), named)
            if len(composed) == 1:
                return composed[0]
            with well_formed(f"composing {target!r}", NAME):
                sources = [(made["name"], made["generation"]) for made in composed]


def _compose(
    api: JsonApi, bucket: str, name: str, sources: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    pinned = [
        {
            "name": source,
            "generation": generation,
            "objectPreconditions": {"ifGenerationMatch": generation},
        }
        for source, generation in sources
    ]
    return api.ask(
        "POST",
        f"{object_path(bucket, name)}/compose",
        None,
        {"kind": "storage#composeRequest", "sourceObjects": pinned, "destination": {}},
    )
