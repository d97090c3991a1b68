"""Cost reports and recommendations as files, local or in any object store."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_multicloud import __version__
from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.cost.recommendations import RankedRecommendations
from airflow_multicloud.core.cost.report import CostDocument, to_csv, to_html, to_json
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.opening.cost.files import read_place, write_place
from airflow_multicloud.opening.places import is_uri

#: Of the lines of ``recommendations.jsonl``; another is refused.
_VERSION = 1

#: Some 100,000 recommendations.
_MAX_BYTES = 64 << 20

_AMOUNT = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or _is_text(value)


def _is_amount_or_none(value: object) -> bool:
    return value is None or (isinstance(value, str) and _AMOUNT.fullmatch(value) is not None)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


#: What a report shows of a recommendation → whether a value can be it, and what can.
_VALUES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "cloud": (_is_text, "text"),
    "summary": (_is_text, "text"),
    "monthly_savings": (_is_amount_or_none, "an amount as text, or null"),
    "currency": (_is_text, "text"),
    "effort": (_is_text, "text"),
    "sources": (_are_texts, "a list of texts"),
    "counted": (lambda value: isinstance(value, bool), "true or false"),
    "resource_id": (_is_text_or_none, "text or null"),
}


@operation("cost.write_report")
def write_cost_report(document: CostDocument, target: str) -> dict[str, str]:
    """Write a report as ``report.html``, ``report.json`` and ``services.csv``.

    :param target: a local directory, or the URI of a prefix in any object store.
    :return: name → path or URI.
    """
    return {name: file.where for name, file in write_report_files(document, target).items()}


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that was written.

    :param where: its path or URI.
    :param sha256: of its bytes.
    """

    where: str
    sha256: str


@operation("cost.write_report")
def write_report_files(document: CostDocument, target: str) -> dict[str, WrittenFile]:
    """As :func:`write_cost_report`, with what was written."""
    texts = {
        "report.html": to_html(document),
        "report.json": to_json(document),
        "services.csv": to_csv(document),
    }
    return {
        name: WrittenFile(_written(target, name, text), sha256_of(text.encode()))
        for name, text in texts.items()
    }


@operation("cost.write_recommendations")
def write_recommendations(ranked: RankedRecommendations, target: str) -> str:
    """Write all recommendations as JSON lines, best first; returns the path or URI."""
    rows = ({"format_version": _VERSION, **row} for row in recommendation_rows(ranked))
    lines = (json.dumps(row, default=str) for row in rows)
    text = "".join(f"{line}\n" for line in lines)
    return _written(target, "recommendations.jsonl", text)


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


@operation("cost.read_recommendations")
def read_recommendations(uri: str) -> list[dict[str, Any]]:
    """What :func:`write_recommendations` wrote.

    :raises CloudError: kind ``unsupported`` for a version that this one does not know,
        ``invalid_argument`` for what are no recommendations, both naming the file and the line;
        ``not_found``, and ``invalid_argument`` for what is no file or more than 64 MiB.
    """
    body = read_place("recommendations", uri, _MAX_BYTES)
    lines = body.removesuffix(b"\n").split(b"\n") if body else []
    return [_recommendation(line, f"{uri} line {n}") for n, line in enumerate(lines, 1)]


def _recommendation(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as err:
        raise _refused(f"{where} is no JSON: {err}") from None
    if not isinstance(row, dict) or "format_version" not in row:
        raise _refused(f"{where} is no recommendation: it has no format_version")
    if (version := row.pop("format_version")) != _VERSION:
        raise CostAnalysisError(
            f"{where} is a recommendation of version {version!r}; this is airflow-multicloud "
            f"{__version__}, which reads version {_VERSION}. Gather the recommendations again",
            kind=ErrorKind.UNSUPPORTED,
        )
    if missing := sorted(_VALUES.keys() - row.keys()):
        raise _refused(f"{where} is no recommendation: it lacks {', '.join(missing)}")
    for name, (fits, expected) in _VALUES.items():
        if not fits(row[name]):
            raise _refused(f"{where}: {name} is {str(row[name])[:40]!r}, expected {expected}")
    return row


def _refused(message: str) -> CostAnalysisError:
    return CostAnalysisError(
        f"{message}; give what write_recommendations wrote", kind=ErrorKind.INVALID_ARGUMENT
    )


def _written(target: str, name: str, text: str) -> str:
    where = f"{target.removesuffix('/')}/{name}" if is_uri(target) else Path(target) / name
    return write_place("target", where, text.encode())
