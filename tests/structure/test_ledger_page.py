"""The page on ledgers is enough to read one: its fields are the code's, and its rules hold."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_multicloud.core.ledger import commits, entries, refs
from airflow_multicloud.core.ledger.commits import Mark, Sibling, Step
from airflow_multicloud.ports.object_store import Digests, ObjectRef
from tests.unit.ledger.made import commit, draft, entry, look
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint

PAGE = (Path(__file__).parents[2] / "docs/ledger.md").read_text()


def section(title: str) -> str:
    """A section of the format, without its sub-sections."""
    return PAGE.partition(f"### {title}\n")[2].partition("\n##")[0]


@pytest.mark.parametrize(
    ("title", "struct"),
    [
        ("Commits", commits.Commit),
        ("Commits", commits.OpenRun),
        ("Commits", Sibling),
        ("Commits", commits.Loss),
        ("Commits", Mark),
        ("Identities", commits.Identity),
        ("Looks", commits.Look),
        ("Looks", commits.Selection),
        ("Segments", refs.SegmentRef),
        ("Entries", entries.Entry),
        ("Entries", entries.Proof),
        ("Entries", entries.Origin),
        ("Entries", entries.Behind),
        ("Entries", Digests),
    ],
)
def test_every_field_is_named(title: str, struct: type) -> None:
    fields = msgspec.json.schema(struct)["$defs"][struct.__name__]["properties"]
    named = set(re.findall(r"`(\w+)`", section(title)))
    assert set(fields) <= named


def body_of(end: Endpoint, key: str) -> bytes:
    return b"".join(end.store.get_object(ObjectRef(end.bucket, key)))


def by_the_page(end: Endpoint) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """The newest commit, its root and what is known of each key, read as the page says."""
    below = ".airflow-multicloud/ledger/"
    newest = min(m.key for m in end.store.list_objects(end.bucket, f"{below}commits/"))
    line, *rest = body_of(end, newest).split(b"\n")
    assert rest == [b""]
    found: dict[str, Any] = json.loads(line)
    assert (
        newest == f"{below}commits/{999999999999 - found['number']:012}-{found['number']:012}.jsonl"
    )
    known: dict[str, Any] = {}
    for run in found["segments"]:
        for ref in run:
            packed = body_of(end, f"{below}segments/{ref['sha256']}.jsonl.gz")
            assert hashlib.sha256(packed).hexdigest() == ref["sha256"]
            assert len(packed) == ref["size"]
            lines = [json.loads(one) for one in gzip.decompress(packed).splitlines()]
            assert (len(lines), lines[0]["key"], lines[-1]["key"]) == (
                ref["count"],
                ref["first"],
                ref["last"],
            )
            known |= {one["key"]: one for one in lines}
    known |= {one["key"]: one for one in found.get("recent", [])}
    return found, hashlib.sha256(line).hexdigest(), known


def test_another_program_can_read_one() -> None:
    end = endpoint()
    first = commit(end, [entry(f"{n:05}") for n in range(6000)])
    last = commit(
        end,
        [entry("00001", b"22"), entries.Entry("00002", removed=True)],
        first,
        this=draft(step=Step.END, found=look()),
    )
    assert first.head is not None
    assert last.head is not None
    found, root, known = by_the_page(end)
    assert (found["format"], found["version"], found["step"]) == (
        "airflow-multicloud ledger",
        1,
        "end",
    )
    assert found["previous"] == {"number": 1, "root": first.head.root}
    assert root == last.head.root
    assert [one["selection"] for one in found["looks"]] == [{}]
    assert known["00001"]["proof"]["size"] == 2
    assert known["00002"] == {"key": "00002", "removed": True}
    assert len(known) == 6000
    assert len(found["segments"][0]) == 2
