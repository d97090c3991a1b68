"""Where local servers are known to differ, as the contract suites' rigs declare it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_DOCS = Path(__file__).parent
_BEGIN, _END = "<!-- gaps -->", "<!-- end of gaps -->"


def pages() -> dict[Path, str]:
    """The page of validation, with the differences as they are declared now."""
    path = _DOCS / "validation.md"
    before, found, rest = path.read_text().partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if not (found and ended):
        raise ValueError(f"docs/validation.md lacks {_BEGIN!r} or {_END!r}")
    lists = "\n".join(_list(*server) for server in _servers())
    return {path: f"{before}{_BEGIN}\n\n{lists}\n{_END}{after}"}


def _servers() -> Iterator[tuple[str, Mapping[str, str]]]:
    # First: other distributions have packages of this name, too.
    sys.path.insert(0, str(_DOCS.parent))
    from tests.contract import object_store_rigs
    from tests.contract.compute_rigs import aws as compute_aws
    from tests.contract.cost_rigs import aws as cost_aws
    from tests.contract.cost_rigs import gcp as cost_gcp

    yield "S3: moto (ministack has none)", object_store_rigs.MOTO_GAPS
    yield "Cloud Storage: fake-gcs-server", object_store_rigs.FAKE_GCS_GAPS
    yield "Blob Storage: Azurite", object_store_rigs.AZURITE_GAPS
    yield "EC2: moto behind stricter checks", compute_aws.GAPS
    yield "AWS Data Exports", cost_aws.GAPS
    yield "Google's billing export", cost_gcp.GAPS


def _list(server: str, gaps: Mapping[str, str]) -> str:
    tests: dict[str, list[str]] = {}
    for test, reason in gaps.items():
        tests.setdefault(reason, []).append(f"`{test}`")
    lines = (f"- {reason} ({', '.join(names)})\n" for reason, names in tests.items())
    return f"**{server}**\n\n{''.join(lines)}"
