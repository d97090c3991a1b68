"""Each request that an operation makes is in the map, and nothing in the map goes unused."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import api
from airflow_multicloud.api.drill import run_drill
from airflow_multicloud.api.logs import ship_logs
from airflow_multicloud.api.object_store.fetches import failover_fetch
from airflow_multicloud.api.object_store.replicas import replicate, verify_replica
from airflow_multicloud.api.object_store.uploads import upload_artifact
from airflow_multicloud.core import run_tokens
from airflow_multicloud.core.drill.objectives import Objectives
from airflow_multicloud.core.preflight.deliveries import ShipLogs
from airflow_multicloud.core.preflight.deployments import SummarizeRelease
from airflow_multicloud.core.preflight.drills import Drill
from airflow_multicloud.core.preflight.granting import calls_of, grants_of
from airflow_multicloud.core.preflight.objects import (
    Fetch,
    Replicate,
    ShardedReplication,
    Upload,
    Verify,
)
from airflow_multicloud.core.replication import shards
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.rollout.summary import ReleaseSummary
from airflow_multicloud.errors import CloudError
from airflow_multicloud.labels import Work, working_for
from airflow_multicloud.locations import Location
from airflow_multicloud.opening.release_summaries import keep_summary
from airflow_multicloud.ports.calls import Grant
from airflow_multicloud.ports.object_store import (
    BucketCreation,
    ObjectRef,
    ObjectStore,
    ObjectTags,
    WriteOptions,
)

from .naming import CALLS, RESOURCES
from .reading import READERS
from .stated import STATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_multicloud.core.preflight.granting import Described
    from airflow_multicloud.core.preflight.needs import Need
    from tests.faults.proxy import FaultProxy

#: Clouds, and whether buckets may keep versions: only S3 has other actions for them.
CASES = [("aws", False), ("aws", True), ("gcp", False), ("azure", False)]
OTHER = {"aws": "azure", "gcp": "azure", "azure": "aws"}
SCHEMES = {"aws": "s3", "gcp": "gs", "azure": "abfs"}
LARGE = 9 << 20
OBJECTIVES = Objectives(timedelta(hours=1), timedelta(hours=1))
_numbers = count(1)
FACTS = {
    "partition": "aws",
    "project": "local",
    "subscription": "s",
    "resource_group": "g",
    "storage_account": "devstoreaccount1",
}


class Recorded:
    """A cloud behind a proxy that notes what comes, and directly."""

    def __init__(self, cloud: str, proxy: FaultProxy, store: ObjectStore) -> None:
        self.cloud = cloud
        self.proxy = proxy
        self.store = store

    def bucket(self, *, versioned: bool = False) -> str:
        """A new one; with versions only where those are read otherwise, on S3."""
        bucket = f"preflight-{next(_numbers)}"
        store: Any = self.store
        assert isinstance(store, BucketCreation)
        store.ensure_bucket(bucket)
        if versioned and self.cloud == "aws":
            told = {"Status": "Enabled"}
            store.get_conn().put_bucket_versioning(Bucket=bucket, VersioningConfiguration=told)
        return bucket

    def uri(self, bucket: str, key: str) -> str:
        """Through the proxy."""
        return str(Location(SCHEMES[self.cloud], f"recorded_{self.cloud}", bucket, key))

    def fill(self, bucket: str, tree: Mapping[str, bytes]) -> None:
        """Not through the proxy."""
        for key, content in tree.items():
            self.store.put_object(ObjectRef(bucket, key), content)

    def leave_upload(self, bucket: str, key: str) -> None:
        """Of a run that is over, and that nothing can take up, as it was begun otherwise."""
        store: Any = self.store
        with run_tokens.under_way("over"):
            run = run_tokens.current()
        options = WriteOptions(storage_class="STANDARD_IA" if self.cloud == "aws" else None)
        upload = store.begin_upload(ObjectRef(bucket, key), options, run=run)
        store.put_part(upload, 1, os.urandom(LARGE))

    def leave_object(self, bucket: str, key: str, content: bytes) -> None:
        """Sent in parts, so that no digest of the whole is known of it but a checksum."""
        store: Any = self.store
        upload = store.begin_upload(ObjectRef(bucket, key), run="another")
        part = store.put_part(upload, 1, content)
        store.complete_upload(upload, [part])

    def leave_of_another_type(self, bucket: str, key: str) -> None:
        """Where there are types of objects, one that no parts can be put in place of."""
        store: Any = self.store
        if self.cloud == "azure":
            store.account.service.get_blob_client(bucket, key).create_append_blob()

    def tag(self, bucket: str, key: str) -> None:
        """If its cloud has tags."""
        if isinstance(self.store, ObjectTags):
            self.store.set_tags(ObjectRef(bucket, key), {"team": "data"})

    def requests(self, bucket: str) -> set[Grant]:
        """What the requests since the last time needed; the bucket is called ``BUCKET``."""
        seen = self.proxy.seen()
        self.proxy.reset()
        return {
            Grant(permission, RESOURCES[self.cloud](one).replace(bucket, "BUCKET"))
            for one in seen
            for permission in STATED[self.cloud][CALLS[self.cloud](one)]
        }


def granted(cloud: str, needs: Iterable[Need]) -> frozenset[Grant]:
    """What the policies that are rendered for a cloud grant, read from their text."""
    ours = [need for need in needs if need.cloud == cloud]
    clouds = f"airflow_multicloud.clouds.{cloud}"

    def describe(need: Need) -> Described:
        return import_module(f"{clouds}.{need.service}.calls").TABLE, FACTS

    writer = import_module(f"{clouds}.identity.policies")
    policies = writer.policies_of(grants_of(calls_of(ours, describe)), title="proof")
    return frozenset(grant for one in policies for grant in READERS[cloud](one))


def covers(grant: Grant, used: Grant) -> bool:
    """Whether this is granted by that; the local servers know no subscriptions."""
    where = fnmatchcase(used.resource, grant.resource) or grant.resource.endswith(used.resource)
    return grant.permission == used.permission and where


def lacking(used: Iterable[Grant], told: Iterable[Grant]) -> list[Grant]:
    """What requests needed, and no policy grants."""
    return sorted(one for one in used if not any(covers(grant, one) for grant in told))


def check(used: Iterable[Grant], told: Iterable[Grant]) -> None:
    """Every request is allowed by the policy, and there is nothing in it that none needs."""
    unused = [grant for grant in told if not any(covers(grant, one) for one in used)]
    assert lacking(used, told) == [], "the policy lacks these"
    assert sorted(unused) == [], "the policy has these for nothing"


def tree() -> dict[str, bytes]:
    return {"in/a.txt": b"a" * 100, "in/big.bin": os.urandom(LARGE), "in/empty": b""}


def places(here: Recorded, *, versioned: bool) -> Iterator[str]:
    """Buckets of each kind there may be."""
    for kept in (False, True) if versioned else (False,):
        yield here.bucket(versioned=kept)


@pytest.mark.parametrize(("cloud", "versioned"), CASES)
class TestReplicate:
    @pytest.mark.parametrize("tags", [False, True])
    def test_the_source(self, recorded, cloud, tags, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        made = set()
        for bucket in places(here, versioned=versioned):
            here.fill(bucket, tree())
            source, target = here.uri(bucket, "in/"), there.uri(there.bucket(), "out/")
            replicate(source, [target], ReplicationOptions(preserve_tags=tags))
            made |= here.requests(bucket)
        told = Replicate(
            source=here.uri("BUCKET", "in/"),
            destinations=[target],
            preserve_tags=tags,
            versioned=versioned,
        )
        check(made, granted(cloud, told.needs()))

    @pytest.mark.parametrize("tags", [False, True])
    def test_one_object_as_the_source(self, recorded, cloud, tags, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        made = set()
        for bucket in places(here, versioned=versioned):
            for content in (b"small", os.urandom(LARGE)):
                here.fill(bucket, {"in/object": content})
                source, target = here.uri(bucket, "in/object"), there.uri(there.bucket(), "out/")
                replicate(source, [target], ReplicationOptions(preserve_tags=tags))
                made |= here.requests(bucket)
        told = Replicate(
            source=here.uri("BUCKET", "in/object"),
            destinations=[target],
            preserve_tags=tags,
            versioned=versioned,
        )
        check(made, granted(cloud, told.needs()))

    @pytest.mark.parametrize(("tags", "delete"), [(False, False), (True, True)])
    def test_a_destination(self, recorded, cloud, tags, delete, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        options = ReplicationOptions(
            preserve_tags=tags, delete_extraneous=delete, max_delete=9 if delete else None
        )
        made = set()
        for bucket in places(here, versioned=versioned):
            origin = there.bucket()
            source, target = there.uri(origin, "in/"), here.uri(bucket, "out/")
            there.fill(origin, tree())
            there.leave_object(origin, "in/twin.bin", twin := os.urandom(LARGE))
            here.leave_object(bucket, "out/twin.bin", twin)
            replicate(source, [target], options)
            there.fill(origin, {"in/a.txt": b"other", "in/big.bin": os.urandom(LARGE)})
            there.tag(origin, "in/a.txt")
            here.fill(bucket, {"out/more": b"x"})
            replicate(source, [target], options)
            large = {f"in/{name}.bin": os.urandom(LARGE) for name in ("left", "other")}
            there.fill(origin, large)
            here.leave_upload(bucket, "out/left.bin")
            here.leave_of_another_type(bucket, "out/other.bin")
            replicate(source, [target], options)
            made |= here.requests(bucket)
        told = Replicate(
            source=source,
            destinations=[here.uri("BUCKET", "out/")],
            preserve_tags=tags,
            delete_extraneous=delete,
            versioned=versioned,
        )
        check(made, granted(cloud, told.needs()))

    def test_a_destination_whose_bucket_is_not_there(self, recorded, cloud, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        origin, bucket = there.bucket(), f"made-{next(_numbers)}-{versioned}".lower()
        there.fill(origin, {"in/a": b"a"})
        work = Work(dag_id="nightly")
        source, target = there.uri(origin, "in/"), here.uri(bucket, "out/")
        with working_for(work):
            replicate(source, [target], ReplicationOptions(create_buckets=True))
        told = Replicate(
            source=source, destinations=[here.uri("BUCKET", "out/")], create_buckets=True
        )
        without = Replicate(source=source, destinations=[here.uri("BUCKET", "out/")])
        more = granted(cloud, told.needs()) - granted(cloud, without.needs())
        made = {one for one in here.requests(bucket) if any(covers(g, one) for g in more)}
        assert more
        check(made, more)


@pytest.mark.parametrize(("cloud", "versioned"), CASES)
def test_the_files_of_a_sharded_replication(recorded, cloud, versioned):
    """Beyond what any replication takes, which is proven as such."""
    here, there = recorded[cloud], recorded[OTHER[cloud]]
    made = set()
    for bucket in places(here, versioned=versioned):
        origin = there.bucket()
        there.fill(origin, tree())
        source, target = there.uri(origin, "in/"), here.uri(bucket, "out/")
        wanted = api.replication(source, [target])
        plan = shards.plan_shards(wanted, shards=2, run_id="run")
        for shard in plan.shards:
            shards.replicate_shard(wanted, run_id="run", shard=shard)
        shards.close_shards(wanted, run_id="run")
        made |= here.requests(bucket)
    given = {
        "source": source,
        "destinations": [here.uri("BUCKET", "out/")],
        "versioned": versioned,
    }
    told = granted(cloud, ShardedReplication(**given).needs())
    assert lacking(made, told) == []
    more = told - granted(cloud, Replicate(**given).needs())
    assert [one for one in more if not any(covers(one, used) for used in made)] == []
    assert bool(more) is (cloud == "aws")  # The others' roles are of whole buckets.


@pytest.mark.parametrize(("cloud", "versioned"), CASES)
class TestUpload:
    @pytest.mark.parametrize("replicated", [False, True])
    def test_files(self, recorded, tmp_path, cloud, replicated, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        copies = [there.uri(there.bucket(), "copies/")] if replicated else []
        made = set()
        for bucket in places(here, versioned=versioned):
            _replica(here, there, bucket)
            target = here.uri(bucket, "out/")
            for name, content in {"small": b"1" * 1000, "large": os.urandom(LARGE)}.items():
                (tmp_path / name).write_bytes(content)
                for _ in range(2):
                    upload_artifact(tmp_path / name, target, replicate_to=copies)
            for name in ("left", "other"):
                (tmp_path / name).write_bytes(os.urandom(LARGE))
            here.leave_upload(bucket, "out/left")
            here.leave_of_another_type(bucket, "out/other")
            for name in ("left", "other"):
                upload_artifact(tmp_path / name, target, replicate_to=copies)
            made |= here.requests(bucket)
        told = Upload(
            destination=here.uri("BUCKET", "out/"), replicate_to=copies, versioned=versioned
        )
        check(made, granted(cloud, told.needs()))

    def test_a_replica(self, recorded, tmp_path, cloud, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        primary = there.uri(there.bucket(), "out/")
        made = set()
        for bucket in places(here, versioned=versioned):
            for name in ("twin", "left", "other"):
                (tmp_path / name).write_bytes(os.urandom(LARGE))
            here.leave_object(bucket, "copies/twin", (tmp_path / "twin").read_bytes())
            here.leave_upload(bucket, "copies/left")
            here.leave_of_another_type(bucket, "copies/other")
            for name in ("twin", "left", "other"):
                upload_artifact(
                    tmp_path / name, primary, replicate_to=[here.uri(bucket, "copies/")]
                )
            made |= here.requests(bucket)
        told = Upload(
            destination=primary, replicate_to=[here.uri("BUCKET", "copies/")], versioned=versioned
        )
        # As any destination of a replication; see there for what is unused.
        assert lacking(made, granted(cloud, told.needs())) == []


@pytest.mark.parametrize(("cloud", "versioned"), CASES)
class TestReading:
    """Of a replica: all of it, one object, and one that was replaced since."""

    def test_a_fetch(self, recorded, tmp_path, cloud, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        made = set()
        for bucket in places(here, versioned=versioned):
            _replica(here, there, bucket)
            failover_fetch([here.uri(bucket, "out/")], tmp_path / f"all-{bucket}")
            failover_fetch([here.uri(bucket, "out/a.txt")], tmp_path / f"one-{bucket}")
            here.fill(bucket, {"out/a.txt": b"by another"})
            with suppress(CloudError):
                failover_fetch([here.uri(bucket, "out/a.txt")], tmp_path / f"old-{bucket}")
            made |= here.requests(bucket)
        told = Fetch(
            candidates=[here.uri("BUCKET", "out/")], target=str(tmp_path), versioned=versioned
        )
        check(made, granted(cloud, told.needs()))

    def test_a_fetch_into_a_bucket(self, recorded, cloud, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        made = set()
        for bucket in places(here, versioned=versioned):
            origin = there.bucket()
            there.fill(origin, {**tree(), "in/other.bin": os.urandom(LARGE)})
            here.leave_upload(bucket, "out/big.bin")
            here.leave_of_another_type(bucket, "out/other.bin")
            failover_fetch([there.uri(origin, "in/")], here.uri(bucket, "out/"))
            failover_fetch([there.uri(origin, "in/a.txt")], here.uri(bucket, "out/"))
            made |= here.requests(bucket)
        told = Fetch(
            candidates=[there.uri(origin, "in/")],
            target=here.uri("BUCKET", "out/"),
            versioned=versioned,
        )
        check(made, granted(cloud, told.needs()))

    def test_a_verification(self, recorded, cloud, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        made = set()
        for bucket in places(here, versioned=versioned):
            _replica(here, there, bucket)
            for depth in ("auto", "read", "checksums"):
                verify_replica(here.uri(bucket, "out/"), depth=depth)
            here.fill(bucket, {"out/a.txt": b"by another"})
            verify_replica(here.uri(bucket, "out/"))
            made |= here.requests(bucket)
        told = Verify(replica=here.uri("BUCKET", "out/"))
        check(made, granted(cloud, told.needs()))

    def test_a_verification_of_a_sibling(self, recorded, cloud, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        made = set()
        for bucket in places(here, versioned=versioned):
            origin = there.bucket()
            there.fill(origin, tree())
            replica, sibling = there.uri(there.bucket(), "out/"), here.uri(bucket, "out/")
            replicate(there.uri(origin, "in/"), [replica, sibling])
            here.proxy.reset()
            verify_replica(replica, siblings=[sibling])
            made |= here.requests(bucket)
        told = Verify(replica=replica, siblings=[here.uri("BUCKET", "out/")])
        check(made, granted(cloud, told.needs()))

    def test_a_shipment_from_a_bucket(self, recorded, local_cloudwatch, cloud, versioned):
        here = recorded[cloud]
        record = {"message": "a", "time": (datetime.now(UTC) - timedelta(minutes=2)).isoformat()}
        made = set()
        for bucket in places(here, versioned=versioned):
            here.fill(bucket, {"logs/today.jsonl": json.dumps(record).encode()})
            source = here.uri(bucket, "logs/today.jsonl")
            ship_logs(["aws_telemetry_local"], f"etl/{bucket}", source=source)
            made |= here.requests(bucket)
        told = ShipLogs(
            destinations=["aws_telemetry_local"],
            log_name="etl",
            source=here.uri("BUCKET", "logs/today.jsonl"),
        )
        check(made, granted(cloud, told.needs()))


@pytest.mark.parametrize(("cloud", "versioned"), CASES)
def test_the_summary_of_a_release(recorded, cloud, versioned):
    """The second one meets the first, which it reads and leaves alone."""
    here, made = recorded[cloud], set()
    for bucket in places(here, versioned=versioned):
        uri = here.uri(bucket, "out/")
        for number, deployment in enumerate(("shop", "other")):
            pages, failed = keep_summary(ReleaseSummary.of(deployment), [uri], "run")
            assert (len(pages), len(failed)) == (1 - number, number)
        made |= here.requests(bucket)
    told = SummarizeRelease(places=[here.uri("BUCKET", "out/")])
    check(made, granted(cloud, told.needs()))


@pytest.mark.parametrize(("cloud", "versioned"), CASES)
class TestDrill:
    def test_of_the_primary(self, recorded, cloud, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        used = set()
        for bucket in places(here, versioned=versioned):
            _replica(
                here, there, bucket
            )  # Its bucket has a ledger, as one that was failed over to.
            here.fill(bucket, tree())
            primary, replicas = here.uri(bucket, "in/"), [there.uri(there.bucket(), "out/")]
            run_drill(primary, replicas, objectives=OBJECTIVES)
            used |= here.requests(bucket)
        told = Drill(primary=here.uri("BUCKET", "in/"), replicas=replicas, versioned=versioned)
        check(used, granted(cloud, told.needs()))

    def test_of_a_replica_that_keeps_the_evidence(self, recorded, cloud, versioned):
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        used = set()
        for bucket in places(here, versioned=versioned):
            origin = there.bucket()
            there.fill(origin, {**tree(), "in/other.bin": os.urandom(LARGE)})
            here.leave_upload(bucket, "out/big.bin")
            here.leave_of_another_type(bucket, "out/other.bin")
            primary = there.uri(origin, "in/")
            run_drill(primary, [here.uri(bucket, "out/")], objectives=OBJECTIVES)
            used |= here.requests(bucket)
        told = Drill(primary=primary, replicas=[here.uri("BUCKET", "out/")], versioned=versioned)
        check(used, granted(cloud, told.needs()))

    def test_of_the_evidence(self, recorded, cloud, versioned):
        """The second one goes on where the first ended, which it reads."""
        here, there = recorded[cloud], recorded[OTHER[cloud]]
        primary, replicas = there.bucket(), [there.uri(there.bucket(), "out/")]
        there.fill(primary, tree())
        used = set()
        for bucket in places(here, versioned=versioned):
            for _ in range(2):
                run_drill(
                    there.uri(primary, "in/"),
                    replicas,
                    objectives=OBJECTIVES,
                    places=[here.uri(bucket, "evidence/")],
                )
            used |= here.requests(bucket)
        told = Drill(
            primary=there.uri(primary, "in/"),
            replicas=replicas,
            places=[here.uri("BUCKET", "evidence/")],
            versioned=versioned,
        )
        check(used, granted(cloud, told.needs()))


def _replica(here: Recorded, there: Recorded, bucket: str) -> None:
    """With a ledger; how it came about is not looked at."""
    origin = there.bucket()
    there.fill(origin, tree())
    replicate(there.uri(origin, "in/"), [here.uri(bucket, "out/")])
    here.proxy.reset()
