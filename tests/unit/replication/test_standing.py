"""An earlier proof holds only for the very object, and while nothing contradicts it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.ledger.entries import Origin, Proof
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.standing import Standing, holds
from airflow_multicloud.core.replication.standing import standing as stands
from airflow_multicloud.ports.object_store import Digests

GOOD, EVIL = digests_of(b"good"), digests_of(b"evil")
LISTED = Listed("a", 4, "e1", "v1", datetime(2026, 1, 1, tzinfo=UTC), Digests())


def standing(
    listed: Listed,
    *,
    etag: str = "e1",
    version: str | None = "v1",
    confirmed: str | None = "md5",
    digests: Digests = GOOD,
) -> Standing:
    return stands(proven(etag, version, confirmed, digests), listed)


def proven(
    etag: str = "e1",
    version: str | None = "v1",
    confirmed: str | None = "md5",
    digests: Digests = GOOD,
) -> Proof:
    return Proof(
        size=4,
        etag=etag,
        digests=digests,
        origin=Origin("mem://lab/a"),
        outcome=Outcome.COPIED,
        run_id="run",
        at=LISTED.modified,
        as_of=LISTED.modified,
        version=version,
        confirmed=confirmed,
    )


def shows(**changes: object) -> Listed:
    return msgspec.structs.replace(LISTED, **changes)


@pytest.mark.parametrize(
    "listed",
    [
        LISTED,
        shows(version=None),
        shows(digests=GOOD),
        shows(digests=Digests(crc32c=GOOD.crc32c)),
        shows(declared=GOOD.md5),
    ],
)
def test_it_holds_for_the_very_object(listed: Listed) -> None:
    assert standing(listed) is Standing.HOLDS
    assert standing(listed, version=None) is Standing.HOLDS


@pytest.mark.parametrize(
    "changes", [{"etag": "e2"}, {"version": "v2"}, {"etag": "e2", "digests": GOOD}, {"etag": "E1"}]
)
def test_another_object_is_not_the_one_that_was_proven(changes: dict[str, object]) -> None:
    assert standing(shows(**changes)) is Standing.CHANGED


@pytest.mark.parametrize("name", ["crc32c", "md5", "sha256"])
def test_one_digest_that_differs_contradicts_it(name: str) -> None:
    """Whatever the others say."""
    odd = replace(GOOD, **{name: getattr(EVIL, name)})
    assert standing(shows(digests=odd)) is Standing.CONTRADICTED
    alone = Digests(**{name: getattr(EVIL, name)})
    assert standing(shows(digests=alone)) is Standing.CONTRADICTED


def test_another_size_contradicts_it() -> None:
    assert standing(shows(size=5)) is Standing.CONTRADICTED
    assert standing(shows(size=0)) is Standing.CONTRADICTED


@pytest.mark.parametrize(("recorded", "shown"), [("", "e1"), ("e1", ""), ("", "")])
def test_without_an_etag_nothing_is_known(recorded: str, shown: str) -> None:
    assert standing(shows(etag=shown), etag=recorded) is Standing.UNKNOWN
    assert standing(shows(etag=shown, digests=EVIL), etag=recorded) is Standing.CONTRADICTED
    assert standing(shows(etag=shown, version="v2"), etag=recorded) is Standing.CHANGED


def test_an_etag_that_only_looks_like_an_md5_contradicts_nothing() -> None:
    """S3 with KMS: another digest was confirmed when it was written."""
    listed = shows(etag=EVIL.md5, digests=Digests(md5=EVIL.md5))
    for confirmed in ("crc32c", "sha256"):
        assert standing(listed, etag=EVIL.md5 or "", confirmed=confirmed) is Standing.HOLDS
    assert standing(listed, etag=EVIL.md5 or "", confirmed="md5") is Standing.CONTRADICTED


@pytest.mark.parametrize(
    ("confirmed", "expected"), [("md5", Standing.CONTRADICTED), ("sha256", Standing.HOLDS)]
)
def test_a_declared_md5_counts_where_the_service_had_computed_it(
    confirmed: str, expected: Standing
) -> None:
    assert standing(shows(declared=EVIL.md5), confirmed=confirmed) is expected


def test_an_md5_that_the_service_computes_counts_whatever_was_confirmed() -> None:
    assert standing(shows(digests=Digests(md5=EVIL.md5)), confirmed="crc32c") is (
        Standing.CONTRADICTED
    )


def test_digests_that_are_not_known_of_both_say_nothing() -> None:
    assert standing(LISTED, digests=Digests()) is Standing.HOLDS
    known = Digests(sha256=GOOD.sha256)
    assert standing(shows(digests=Digests(crc32c=EVIL.crc32c)), digests=known) is Standing.HOLDS


def test_what_was_never_confirmed_does_not_hold_by_its_etag() -> None:
    assert holds(proven(), LISTED)
    unverifiable = msgspec.structs.replace(proven(), outcome=Outcome.UNVERIFIABLE)
    assert standing(LISTED) is Standing.HOLDS
    assert not holds(unverifiable, LISTED)
