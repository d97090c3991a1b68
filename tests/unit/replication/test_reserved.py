"""Nothing of others is written where this package keeps its own files, and no run fails for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from airflow_multicloud.core.drill.canary import write_canary
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint, why_not_reserved_key
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.replication import run_files, shards
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.freshness import freshness
from airflow_multicloud.core.replication.options import OnError, ReplicationOptions
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.replication.status import status
from airflow_multicloud.core.replication.verification import Depth, Finding, verify
from airflow_multicloud.core.upload import check_apart, plan_upload, upload
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.opening.cost.store import open_cost_store
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store

from . import memory
from .memory import BUCKET, SMALL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_multicloud.core.replication.report import ReplicationReport

#: All that some store or file system makes ``.airflow-multicloud/…`` of.
PLANTED = (
    ".airflow-multicloud/evidence/q3.json",
    ".airflow-multicloud/latest/0-0.json",
    ".airflow-multicloud/",
    ".airflow-multicloud",
    "./.airflow-multicloud/x",
    "//.airflow-multicloud//x",
    "a/../.airflow-multicloud/x",
    "../.airflow-multicloud/x",
    ".airflow-multicloud\\x",
    ".AIRFLOW-Multicloud/x",
    ".airflow-multicloud./x",
    ".airflow-multicloud /x",
    ".airflow-multicloud/evidence/../../q4.json",
)
#: The same for what fewer stores do, or what is done on the way to one.
DISGUISED = (
    ".airflow-multicloud\\..\\x",  # S3 takes it literally
    "a/.. /.airflow-multicloud/x",
    "a/../b/.airflow-multicloud/x",  # ".." as it may be read by some, "b" by none
    "a/..;/.airflow-multicloud/x",
    "../bucket/.airflow-multicloud/x",
    " .airflow-multicloud/x",
    ".airflow-multicloud\t/x",
    ".airflow-multi\ncloud/x",
    ".airflow-multicloud\0/x",
    "\0.airflow-multicloud/x",
    ".airflow-multicloud;v=1/x",
    ".airflow-multicloud::$INDEX_ALLOCATION/x",
    "%2eairflow-multicloud/x",
    "%2Eairflow%2Dmulticloud%2Fx",
    "%252eairflow-multicloud%252fx",
    "a%2f..%2f.airflow-multicloud/x",
    "%00.airflow-multicloud/x",
    ".airflow-multicloud%ff/x",
    ".airflow-multicloud\ud800/x",
    ".a\N{LATIN SMALL LETTER DOTLESS I}rflow-multicloud/x",
    ".A\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}RFLOW-MULTICLOUD/x",
    ".air\N{LATIN SMALL LIGATURE FL}ow-multicloud/x",
    ".airflow-multi\N{FULLWIDTH LATIN SMALL LETTER C}loud/x",
    "\N{ONE DOT LEADER}airflow-multicloud/x",
    ".airflow-multicloud\N{FULLWIDTH SOLIDUS}x",
    "a/\N{TWO DOT LEADER}/.airflow-multicloud/x",
    ".airflow-multicloud\N{NO-BREAK SPACE}/x",
    ".airflow\N{ZERO WIDTH SPACE}-multicloud/x",
    "\N{ZERO WIDTH NO-BREAK SPACE}.airflow-multicloud/x",
    ".airflow-multicl\N{LATIN SMALL LETTER O WITH ACUTE}ud/x",
    ".airflow-multicloud\N{COMBINING ENCLOSING CIRCLE}/x",
    "\N{FULLWIDTH PERCENT SIGN}2eairflow-multicloud/x",
)
OTHERS = (
    "a.txt",
    "a/.airflow-multicloud/x",
    ".airflow-multicloud-2/x",
    "airflow-multicloud/x",
    ".airflow-multicloud.txt",
    "",
    "a/../b",
    "./b/.airflow-multicloud/x",
    "a%20b/%2eairflow-multicloud/x",
    "a/:/.airflow-multicloud/x",
    "a..b/.airflow-multicloud/x",
    "\N{LATIN SMALL LETTER E WITH ACUTE}t\N{LATIN SMALL LETTER E WITH ACUTE}/.airflow-multicloud/x",
    "\N{KELVIN SIGN}/\N{LATIN SMALL LETTER DOTLESS I}",
    "\ud800",
)


@pytest.mark.parametrize("key", [*PLANTED, *DISGUISED])
def test_what_a_store_may_take_for_it_is_refused(key: str) -> None:
    assert why_not_reserved_key(key)


@pytest.mark.parametrize("key", OTHERS)
def test_other_keys_are_not(key: str) -> None:
    assert why_not_reserved_key(key) is None


def test_a_key_that_is_encoded_without_end_is_judged_at_once() -> None:
    assert why_not_reserved_key("%25" * 300_000 + ".airflow-multicloud") is None


def hostile(*, destinations: int = 1, options: ReplicationOptions = SMALL) -> Replication:
    """A source below a prefix with planted keys, and destinations at their buckets' roots."""
    source = memory.endpoint()
    memory.fill(source, {"a.txt": b"a", "big": bytes(100), **dict.fromkeys(PLANTED, b"forged")})
    return Replication(source, tuple(memory.endpoint("") for _ in range(destinations)), options)


def keys(end: Endpoint) -> list[str]:
    return [m.key for m in end.store.list_objects(BUCKET)]


def assert_nothing_planted(end: Endpoint) -> None:
    hook = object_store.Hook(memory.conn_of(end))
    for key in keys(end):
        assert key in ("a.txt", "big") or key.startswith(".airflow-multicloud/")
        assert bytes(hook.get_object(ObjectRef(BUCKET, key)).read()) != b"forged"


def assert_left_out(report: ReplicationReport) -> None:
    for destination in report.destinations:
        assert destination.outcomes[Outcome.RESERVED] == len(PLANTED)
        assert sum(destination.outcomes.values()) == report.objects == len(PLANTED) + 2
    assert report.success_ratio == 1
    assert report.failures == ()
    named = [f.name for f in report.left_out]
    assert len(named) == min(20, len(PLANTED) * len(report.destinations))
    assert set(named) <= set(PLANTED)


@pytest.mark.parametrize("on_error", OnError)
def test_a_replication_leaves_planted_keys_out(on_error: OnError) -> None:
    replication = hostile(destinations=2, options=replace(SMALL, on_error=on_error))
    assert_left_out(replicate(replication))
    again = replicate(replication)
    for index, destination in enumerate(replication.destinations):
        assert_nothing_planted(destination)
        assert again.destinations[index].outcomes[Outcome.UNCHANGED] == 2
        for depth in Depth:
            report = verify(destination, depth=depth)
            assert report.findings == {Finding.VERIFIED: 2, Finding.RESERVED: len(PLANTED)}
            assert report.proven
        assert freshness(destination).complete
        stands = status(destination)
        assert (stands.complete, stands.objects, stands.findings) == (True, 2, ())


def test_so_does_one_in_shards() -> None:
    replication = hostile()
    plan = shards.plan_shards(replication, shards=2, run_id="r")
    for shard in plan.shards:
        shards.replicate_shard(replication, run_id="r", shard=shard)
    assert_left_out(shards.close_shards(replication, run_id="r"))
    assert_left_out(shards.close_shards(replication, run_id="r"))
    assert_nothing_planted(replication.destinations[0])


@pytest.mark.parametrize("name", ["/evidence/q3.json", "/evidence/large"])
def test_nor_does_a_shard_that_was_edited_plant_them_at_another_destination(name: str) -> None:
    replication = hostile(destinations=2)
    name, content = f".airflow-multicloud{name}", b"forged" * (1 if "q3" in name else 20)
    memory.fill(replication.source, {name: content})
    home, other = replication.destinations
    plan = shards.plan_shards(replication, shards=1, run_id="r")
    (uri,) = plan.shards
    shard = uri.rpartition("/")[2].partition("#")[0]
    held = list(run_files.read_items(home, "r", shard))
    there = replication.source.store.stat_object(
        replication.source.ref(replication.source.key_of(name))
    )
    planted = msgspec.structs.replace(
        held[0], name=name, size=there.size, etag=there.etag, version=there.version
    )
    run_files.write_items(home, "r", shard, [planted, *held])
    before = set(keys(other))
    with pytest.raises(StorageError, match="changed after it had been planned") as raised:
        shards.replicate_shard(replication, run_id="r", shard=uri)
    assert raised.value.kind is ErrorKind.INTEGRITY
    assert set(keys(other)) == before


def test_below_a_prefix_the_same_keys_are_plain_ones() -> None:
    source, copy = memory.endpoint(), memory.endpoint("copy/")
    memory.fill(source, {"a.txt": b"a", ".airflow-multicloud/x": b"x"})
    report = replicate(Replication(source, (copy, memory.endpoint("")), SMALL))
    assert report.destinations[0].outcomes == {Outcome.COPIED: 2}
    assert report.destinations[1].outcomes == {Outcome.COPIED: 1, Outcome.RESERVED: 1}
    assert memory.tree_of(copy)[".airflow-multicloud/x"] == b"x"


def test_they_do_not_keep_what_is_extraneous_from_being_deleted() -> None:
    replication = hostile(options=replace(SMALL, delete_extraneous=True, max_delete=5))
    destination = replication.destinations[0]
    memory.fill(destination, {"old": b"old"})
    replicate(Replication(memory.endpoint_with({"z": b"z"}), (destination,), SMALL))
    report = replicate(replication)
    assert report.destinations[0].deleted == 2
    own = [key for key in keys(destination) if key.startswith(".airflow-multicloud/")]
    assert all(key.startswith(f"{RESERVED_PREFIX}ledger/") for key in own)


def candidate(end: Endpoint, *, primary: bool = False) -> Candidate:
    return Candidate(str(end.location), end, primary=primary)


@pytest.mark.parametrize("primary_up", [True, False])
def test_a_fetch_to_a_bucket_leaves_planted_keys_out(primary_up: bool) -> None:
    replication = hostile()
    replicate(replication)
    replica, target = replication.destinations[0], memory.endpoint("")
    first = candidate(replication.source, primary=True)
    if not primary_up:
        gone = StorageError("gone", kind=ErrorKind.UNAVAILABLE)
        first = replace(first, endpoint=None, refused=gone)
    served = fetch_tree([first, candidate(replica)], ObjectTarget(target))
    assert (served.objects, served.left_out) == (2, len(PLANTED))
    assert set(served.left_out_names) == set(PLANTED)
    assert keys(target) == ["a.txt", "big"]


def test_a_fetch_to_a_directory_goes_on_where_the_replica_left_them_out(tmp_path: Path) -> None:
    source = memory.endpoint()
    memory.fill(source, {"a.txt": b"a", ".airflow-multicloud/x": b"x"})
    replica = memory.endpoint("")
    replicate(Replication(source, (replica,), SMALL))
    both = fetch_tree([candidate(source, primary=True), candidate(replica)], FileTarget(tmp_path))
    assert (both.objects, both.left_out) == (2, 0)
    alone = fetch_tree([candidate(replica)], FileTarget(tmp_path))
    assert (alone.objects, alone.left_out_names) == (1, (".airflow-multicloud/x",))


def test_nothing_to_fetch_is_an_error() -> None:
    source = memory.endpoint()
    memory.fill(source, {".airflow-multicloud/x": b"x"})
    with pytest.raises(StorageError, match=r"nothing was fetched .* all 1 objects have keys that"):
        fetch_tree([candidate(source, primary=True)], ObjectTarget(memory.endpoint("")))


PLACES = (
    ".airflow-multicloud/",
    ".airflow-multicloud/evidence/x.json",
    "./.Airflow-Multicloud/",
    ".airflow-multicloud/../",
    "%2eairflow-multicloud/latest/x.json",
)


@pytest.mark.parametrize("place", PLACES)
def test_places_there_are_refused_before_anything_is_asked(place: str, tmp_path: Path) -> None:
    source, there = memory.endpoint(), memory.endpoint(place)
    memory.fill(source, {"a.txt": b"a"})
    one = replace(source, location=source.location.with_key("data/a.txt"))
    file = tmp_path / "file"
    file.write_bytes(b"content")
    refused = {
        "destinations[0]": lambda: Replication(one, (there,)),
        "destination": lambda: upload(file, there),
        "replicate_to[0]": lambda: check_apart(file, memory.endpoint(), [there]),
        "target": lambda: fetch([candidate(one)], ObjectTarget(there)),
    }
    if place.endswith("/"):
        refused["primary"] = lambda: write_canary(there, "drill")
    for parameter, work in {**refused, "destination ": lambda: plan_upload(file, there)}.items():
        with pytest.raises(CloudError) as caught:
            work()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert str(caught.value).startswith(f"{parameter.strip()}: {there.location}")
        assert "kept for this package's own files; choose another place" in str(caught.value)
    assert keys(there) == []


def test_a_file_of_that_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ".airflow-multicloud"
    file.write_bytes(b"content")
    with pytest.raises(StorageError, match=r"^destination: .*own files"):
        upload(file, memory.endpoint(""))


def test_costs_are_not_written_there(memory_account: Callable[[str, str], str]) -> None:
    there = f"mem://{memory_account('reserved', 'lake')}@lake/.airflow-multicloud/costs/"
    from airflow_multicloud.api.cost.files import _written

    with pytest.raises(CloudError, match=r"^target: .*own files"):
        _written(there, "report.html", "text")
    with pytest.raises(CloudError, match=r"^store: .*own files"):
        open_cost_store(there)


def test_this_packages_own_files_can_be_read(tmp_path: Path) -> None:
    replication = hostile()
    replicate(replication)
    replica = replication.destinations[0]
    commit = next(key for key in keys(replica) if "/ledger/commits/" in key)
    one = replace(replica, location=replica.location.with_key(commit))
    assert fetch([candidate(one)], FileTarget(tmp_path / "commit")).size > 0
