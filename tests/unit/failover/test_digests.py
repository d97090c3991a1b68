"""By which digest a copy is compared when it is fetched, and that the answer names it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import extras
from airflow_multicloud.adapters.digests import BLAKE3_METADATA, digests_of
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ContentDigest
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import ErrorKind
from tests.unit.adapters.collisions import with_crc32c_of
from tests.unit.failover.stores import (
    Crc32cOnly,
    Silent,
    candidates,
    files_below,
    put,
    replicas,
)
from tests.unit.replication.memory import SMALL, endpoint, fill

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint

LARGE = bytes(range(100))
FORGED = with_crc32c_of(LARGE, LARGE[::-1])
SHA256 = digests_of(LARGE).sha256


class Forging(Crc32cOnly):
    """Answers other bytes of the same CRC32C."""

    def answered(self, content: bytes) -> bytes:
        return FORGED if content == LARGE else content


def copies(*hooks: type[Crc32cOnly], digest: str = "blake3") -> list[Endpoint]:
    """Replicas of a large and a small object."""
    source = endpoint(hook=Crc32cOnly)
    fill(source, {"large": LARGE, "small": b"1"})
    made = tuple(endpoint("copy/", hook) for hook in hooks)
    replicate(Replication(source, made, replace(SMALL, digest=ContentDigest(digest))))
    return [*made]


@pytest.mark.parametrize("digest", ContentDigest)
def test_the_ledger_says_by_which(digest: ContentDigest, tmp_path: Path) -> None:
    (replica,) = copies(Crc32cOnly, digest=digest)
    policy = FailoverPolicy(require_digest=True)
    one = fetch(replicas(replica.below("large")), FileTarget(tmp_path / "1"), policy)
    assert (one.verified_by, one.digest, one.sha256) == ("ledger", digest, SHA256)
    assert (tmp_path / "1").read_bytes() == LARGE
    tree = fetch_tree(replicas(replica), FileTarget(tmp_path / "all"), policy)
    assert tree.verified_by == {"ledger": 2}
    blake3 = digest is ContentDigest.BLAKE3
    assert tree.digests == ({"blake3": 1, "sha256": 1} if blake3 else {"sha256": 2})
    asked = FailoverPolicy(expected_sha256=SHA256)
    one = fetch(replicas(replica.below("large")), FileTarget(tmp_path / "2"), asked)
    assert (one.verified_by, one.digest) == ("expected_sha256", "sha256")


@pytest.mark.parametrize("digest", ContentDigest)
def test_wrong_bytes_that_no_crc32c_shows_are_rejected(
    digest: ContentDigest, tmp_path: Path
) -> None:
    bad, good = copies(Forging, Crc32cOnly, digest=digest)
    served = fetch_tree(replicas(bad, good), FileTarget(tmp_path))
    assert files_below(tmp_path) == {"large": LARGE, "small": b"1"}
    (why,) = {one.reason for one in served.attempts if one.uri.startswith(str(bad.location))}
    assert f"the content's {digest} is not the one of ledger" in str(why)


def test_without_the_package_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (replica,) = copies(Crc32cOnly)
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(FailoverError, match="no candidate served") as caught:
        fetch(replicas(replica.below("large")), FileTarget(tmp_path / "a"))
    attempt = caught.value.attempts[-1]
    assert attempt.kind is ErrorKind.UNSUPPORTED
    assert "blake3 is not installed: pip install '.[blake3]'" in str(attempt.reason)
    assert fetch(replicas(replica.below("small")), FileTarget(tmp_path / "b")).digest == "sha256"


def metadata(end: Endpoint, name: str) -> dict[str, str]:
    attributes = end.store.stat_object(end.ref(end.key_of(name))).attributes
    assert attributes is not None
    return dict(attributes.metadata)


class TestClaims:
    """What a writer has noted of an object refutes it, and proves nothing."""

    def holding(self, **noted: str) -> Endpoint:
        place = endpoint(hook=Silent)
        put(place, "large", LARGE, metadata=noted)
        return place.below("large")

    def test_the_right_one(self, tmp_path: Path) -> None:
        (replica,) = copies(Crc32cOnly)
        place = self.holding(**metadata(replica, "large"))
        served = fetch(candidates(place), FileTarget(tmp_path / "a"))
        assert (served.verified_by, served.digest) == (None, "blake3")

    def test_a_wrong_one(self, tmp_path: Path) -> None:
        place = self.holding(**{BLAKE3_METADATA: "0" * 64})
        with pytest.raises(FailoverError, match="no candidate served") as caught:
            fetch(candidates(place), FileTarget(tmp_path / "a"))
        assert "the content's blake3 is not what is said of it" in str(caught.value.attempts)

    def test_none_is_restored(self) -> None:
        (replica,), target = copies(Crc32cOnly), endpoint()
        assert set(metadata(replica, "large")) == {BLAKE3_METADATA}
        fetch(replicas(replica.below("large")), ObjectTarget(target.below("a")))
        assert metadata(target, "a") == {}
