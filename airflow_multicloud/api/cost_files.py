"""Cost reports and recommendations as files, local or in any object store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.endpoints import open_endpoint, refuse_reserved
from airflow_multicloud.core.streams import put_stream

if TYPE_CHECKING:
    from airflow_multicloud.core.cost.recommendations import RankedRecommendations
    from airflow_multicloud.core.cost.report import CostDocument


def write_cost_report(document: CostDocument, target: str) -> dict[str, str]:
    """Write a report as ``report.html``, ``report.json`` and ``services.csv``.

    :param target: a local directory, or the URI of a prefix in any object store.
    :return: name → path or URI.
    """
    from airflow_multicloud.core.cost.report import to_csv, to_html, to_json

    texts = {
        "report.html": to_html(document),
        "report.json": to_json(document),
        "services.csv": to_csv(document),
    }
    return {name: _written(target, name, text) for name, text in texts.items()}


def write_recommendations(ranked: RankedRecommendations, target: str) -> str:
    """Write all recommendations as JSON lines, best first; returns the path or URI."""
    lines = (json.dumps(item, default=str) for item in recommendation_rows(ranked))
    return _written(target, "recommendations.jsonl", "".join(f"{line}\n" for line in lines))


def recommendation_rows(ranked: RankedRecommendations) -> list[dict[str, Any]]:
    """Recommendations as flat rows."""
    return [
        {
            "cloud": item.cloud,
            **{k: v for k, v in _fields(item.recommendation).items() if k != "source"},
            "monthly_savings": None
            if item.monthly_savings is None
            else f"{item.monthly_savings:.2f}",
            "currency": ranked.currency,
            # What the source itself says, where no rate converts it.
            "unconverted": item.unconverted
            and f"{item.recommendation.monthly_savings} {item.recommendation.billing_currency}",
            "sources": list(item.sources),
            "counted": item.counted,
        }
        for item in ranked.ranked
    ]


def _fields(value: Any) -> dict[str, Any]:
    """A dataclass's fields by name, mappings as plain dictionaries."""
    return {
        name: dict(found) if isinstance(found, Mapping) else found
        for name, found in ((n, getattr(value, n)) for n in value.__dataclass_fields__)
    }


def read_recommendations(uri: str) -> list[dict[str, Any]]:
    """What :func:`write_recommendations` wrote."""
    if "://" not in uri:
        text = Path(uri).read_text(encoding="utf-8")
    else:
        endpoint = open_endpoint(uri, parameter="recommendations")
        body = endpoint.store.get_object(endpoint.location.ref).read()
        text = bytes(body).decode()
    return [json.loads(line) for line in text.splitlines()]


def _written(target: str, name: str, text: str) -> str:
    if "://" not in target:
        path = Path(target) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)
    endpoint = open_endpoint(target if target.endswith("/") else f"{target}/", parameter="target")
    refuse_reserved(endpoint, parameter="target")
    location = endpoint.location.with_key(f"{endpoint.location.key}{name}")
    put_stream(endpoint, location.key, [text.encode()])
    return str(location)
