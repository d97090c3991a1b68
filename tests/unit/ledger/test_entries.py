"""What an entry may say, and what it means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from airflow_multicloud.core.ledger import entries
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.replication.outcomes import Outcome

from .made import at, entry, proof

TIME = "2026-01-01T00:00:00Z"
NO_TIME = "0001-01-01T00:00:00+23:59"
PROOF = {
    "size": 1,
    "etag": "e",
    "digests": {"crc32c": None, "md5": None, "sha256": None, "blake3": None},
    "origin": {"uri": "mem://lab/k"},
    "outcome": "copied",
    "run_id": "r",
    "at": TIME,
    "as_of": TIME,
}
BEHIND = {
    "outcome": "failed",
    "run_id": "r",
    "origin": {"uri": "mem://lab/k"},
    "size": 1,
    "at": TIME,
}


def read(**fields: Any) -> Entry:
    return entries.read_line(json.dumps({"key": "k"} | fields).encode())


def test_what_is_absent_has_its_default() -> None:
    found = read(proof=PROOF, behind=BEHIND)
    assert found.proof is not None
    assert found.behind is not None
    assert {k: v for k, v in asdict(found.proof).items() if k not in PROOF} == {
        "version": None,
        "confirmed": None,
        "not_kept": (),
        "attributes": None,
        "tags": None,
        "seen": None,
    }
    assert {k: v for k, v in asdict(found.behind).items() if k not in BEHIND} == {
        "kind": None,
        "reason": None,
        "since": None,
    }
    assert asdict(found.proof.origin) == {
        "uri": "mem://lab/k",
        "etag": "",
        "version": None,
        "modified": None,
    }
    assert read() == Entry("k", proof=None, behind=None, gone=None, removed=False)
    assert entries.read_line(entries.write_line(found)) == found
    assert json.loads(entries.write_line(found)) == {"key": "k", "proof": PROOF, "behind": BEHIND}
    assert entries.write_line(Entry("k")) == b'{"key":"k"}'


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ({"key": "k" * 8192}, {"key": "k" * 8193}),
        ({"proof": PROOF | {"size": 0}}, {"proof": PROOF | {"size": -1}}),
        ({"proof": PROOF | {"size": (1 << 63) - 1}}, {"proof": PROOF | {"size": 1 << 63}}),
        ({"proof": PROOF}, {"proof": PROOF, "removed": True}),
        ({"behind": BEHIND}, {"behind": BEHIND, "removed": True}),
        ({"gone": TIME}, {"gone": TIME, "removed": True}),
        ({"removed": True}, {"removed": 1}),
    ],
)
def test_what_an_entry_may_say(allowed: dict[str, Any], refused: dict[str, Any]) -> None:
    read(**allowed)
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's say it in their own words
        read(**refused)


@pytest.mark.parametrize(
    "fields",
    [
        {"gone": NO_TIME},
        *({"proof": PROOF | {name: NO_TIME}} for name in ("at", "as_of", "seen")),
        {"proof": PROOF | {"origin": {"uri": "u", "modified": NO_TIME}}},
        *({"behind": BEHIND | {name: NO_TIME}} for name in ("at", "since")),
        {"behind": BEHIND | {"origin": {"uri": "u", "modified": NO_TIME}}},
    ],
)
def test_times_that_are_none_in_utc(fields: dict[str, Any]) -> None:
    with pytest.raises(OverflowError):
        read(**fields)


@pytest.mark.parametrize(
    ("etag", "version", "there", "wrote"),
    [
        ("e", None, ("e", None), True),
        ("e", "1", ("e", "1"), True),
        ("e", "1", ("e", "2"), False),
        ("e", "1", ("x", "1"), False),
        # A version that one side does not tell, as some listings do not, is not compared.
        ("e", None, ("e", "1"), True),
        ("e", "1", ("e", None), True),
        ("", "1", ("", "1"), False),
    ],
)
def test_which_object_is_that_of_the_proven_write(
    etag: str, version: str | None, there: tuple[str, str | None], wrote: bool
) -> None:
    assert replace(proof(etag=etag), version=version).wrote(*there) is wrote


def test_only_what_the_service_confirmed_is_proven() -> None:
    assert proof().proven
    assert not replace(proof(), outcome=Outcome.UNVERIFIABLE).proven


def behind(outcome: Outcome) -> Behind:
    return Behind(outcome, "r", Origin("mem://lab/k"), 1, at(5))


ONE = entry("k")


@pytest.mark.parametrize(
    ("found", "owed", "current"),
    [
        (ONE, True, True),
        (Entry("k", None, behind(Outcome.FAILED)), True, False),
        (replace(ONE, behind=behind(Outcome.FAILED)), True, False),
        (replace(ONE, behind=behind(Outcome.RESERVED)), False, False),
        (replace(ONE, gone=at(3)), False, False),
        (replace(ONE, gone=at(3), behind=behind(Outcome.FAILED)), False, False),
        (Entry("k"), True, False),
    ],
)
def test_what_the_source_has_is_owed(found: Entry, owed: bool, current: bool) -> None:
    assert (found.owed, found.current) == (owed, current)
