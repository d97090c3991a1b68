"""A proven copy of the artifact near every target, and a URL to fetch it by."""

from __future__ import annotations

import hashlib
import urllib.request
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.rollout import artifacts
from airflow_multicloud.core.rollout.artifacts import (
    Delivery,
    deliver_artifact,
    look_at_artifact,
)
from airflow_multicloud.core.rollout.delivered import where_delivered
from airflow_multicloud.core.rollout.planning import plan_deployment
from airflow_multicloud.core.rollout.scripts import startup_scripts
from airflow_multicloud.core.rollout.signing import sign_artifact
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectMeta, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.rollout.givens import deployment, target
from tests.unit.rollout.worlds import ORDER, new_place, opened

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint

BODY = b"an artifact of some bytes" * 100
SHA256 = hashlib.sha256(BODY).hexdigest()
NAME = f"shop/artifacts/{SHA256}/app.tar.gz"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "app.tar.gz"
    made.write_bytes(BODY)
    return made


def put(place: Endpoint, name: str, body: bytes) -> Endpoint:
    end = place.below(name)
    end.store.put_object(end.location.ref, body)
    return end


def content(place: Endpoint, name: str = NAME) -> bytes:
    return bytes(place.store.get_object(place.ref(place.key_of(name))).read())


def deliver(source: Any, *places: Endpoint, **changed: Any) -> list[Delivery]:
    artifact = replace(look_at_artifact(source), **changed)
    by_uri = {str(place.location): place for place in places}
    return list(deliver_artifact(source, artifact, "shop", by_uri))


class Writes(object_store.Hook):
    """Counts what is written."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.written: list[str] = []

    def put_object(self, ref: Any, body: Any, options: Any = WriteOptions(), **kw: Any) -> Any:
        self.written.append(ref.key)
        return super().put_object(ref, body, options, **kw)


class Down(object_store.Hook):
    """Out of reach."""

    def stat_object(self, ref: Any) -> ObjectMeta:
        raise StorageError("it is down", kind=ErrorKind.UNAVAILABLE)

    def stat_bucket(self, bucket: str) -> Any:
        raise StorageError("it is down", kind=ErrorKind.UNAVAILABLE)


class Undigested(object_store.Hook):
    """Tells no digest of what it holds."""

    def stat_object(self, ref: Any) -> ObjectMeta:
        return replace(super().stat_object(ref), digests=Digests())


class Unreadable(object_store.Hook):
    """May be written, not read."""

    def stat_object(self, ref: Any) -> ObjectMeta:
        raise StorageError("AccessDenied", kind=ErrorKind.PERMISSION_DENIED)


def with_hook(hook: Any) -> Endpoint:
    place = new_place()
    return replace(place, store=hook(place.location.conn_id))


def test_a_file_is_looked_at(file: Path) -> None:
    found = look_at_artifact(file)
    assert (found.uri, found.sha256, found.size) == (str(file), SHA256, len(BODY))
    assert found.file_name == "app.tar.gz"


@pytest.mark.parametrize("hook", [object_store.Hook, Undigested])
def test_an_object_is_looked_at(hook: Any) -> None:
    found = look_at_artifact(put(with_hook(hook), "app.tar.gz", BODY))
    assert (found.sha256, found.size, found.file_name) == (SHA256, len(BODY), "app.tar.gz")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match=r"artifact: .*none") as caught:
        look_at_artifact(tmp_path / "none")
    assert caught.value.kind is ErrorKind.NOT_FOUND
    with pytest.raises(CloudError, match=r"artifact: .*directory|artifact: .*not a file"):
        look_at_artifact(tmp_path)
    with pytest.raises(CloudError, match=r"artifact: mem://.*app") as caught:
        look_at_artifact(new_place().below("app"))
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_what_may_not_be_read_is_named() -> None:
    with pytest.raises(CloudError, match=r"artifact: mem://.*: it may not be read") as caught:
        look_at_artifact(with_hook(Unreadable).below("app"))
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


def test_an_empty_artifact_and_another_one_are_refused(tmp_path: Path, file: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(DeploymentError, match=r"artifact: .* is empty"):
        look_at_artifact(tmp_path / "empty")
    with pytest.raises(DeploymentError, match=f"artifact: .*{SHA256}, expected {'0' * 64}") as e:
        look_at_artifact(file, sha256="0" * 64)
    assert e.value.kind is ErrorKind.INTEGRITY
    with pytest.raises(DeploymentError, match=r"artifact: sha256: .* in lower case") as e:
        look_at_artifact(file, sha256=SHA256.upper())
    assert e.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize("of", ["file", "object"])
def test_it_is_delivered_once_to_every_place(file: Path, of: str) -> None:
    source = file if of == "file" else put(new_place(), "app.tar.gz", BODY)
    one, two = with_hook(Writes), with_hook(Writes)
    first = deliver(source, one, two)
    assert [(d.sent, d.error) for d in first] == [(True, None), (True, None)]
    assert first[0].uri == f"{one.location}{NAME}"
    assert content(one) == content(two) == BODY
    sent = [key for key in one.store.written if key.endswith("app.tar.gz")]  # type: ignore[attr-defined]
    again = deliver(source, one, two)
    assert [(d.sent, d.error) for d in again] == [(False, None), (False, None)]
    assert [k for k in one.store.written if k.endswith("app.tar.gz")] == sent  # type: ignore[attr-defined]


@pytest.mark.parametrize("of", ["file", "object"])
def test_what_lies_in_its_place_is_replaced(file: Path, of: str) -> None:
    source = file if of == "file" else put(new_place(), "app.tar.gz", BODY)
    place = new_place()
    put(place, NAME, b"x" * len(BODY))
    (done,) = deliver(source, place)
    assert (done.sent, done.error) == (True, None)
    assert content(place) == BODY


@pytest.mark.parametrize("of", ["file", "object"])
def test_one_place_that_fails_costs_itself_only(file: Path, of: str) -> None:
    source = file if of == "file" else put(new_place(), "app.tar.gz", BODY)
    down, well, absent = with_hook(Down), new_place(), new_place()
    gone = replace(absent, location=replace(absent.location, bucket="nowhere"))
    found = deliver(source, down, well, gone)
    assert [d.error_kind for d in found] == [ErrorKind.UNAVAILABLE, None, ErrorKind.NOT_FOUND]
    assert content(well) == BODY
    assert [bool(d.error) for d in found] == [True, False, True]


def test_a_place_of_two_spellings_is_written_once(file: Path) -> None:
    place = with_hook(Writes)
    artifact = look_at_artifact(file)
    found = deliver_artifact(file, artifact, "shop", {"a": place, "b": place})
    assert [(d.place, d.sent) for d in found] == [("a", True), ("b", True)]
    assert len([k for k in place.store.written if k.endswith("app.tar.gz")]) == 1  # type: ignore[attr-defined]


def test_a_file_that_has_changed_is_not_delivered(file: Path) -> None:
    place, artifact = new_place(), look_at_artifact(file)
    file.write_bytes(b"another")
    with pytest.raises(DeploymentError, match="artifact"):
        deliver_artifact(file, artifact, "shop", {"a": place})
    assert list(place.objects("")) == []


def test_an_object_that_has_changed_is_not_taken_for_it() -> None:
    source, place = put(new_place(), "app.tar.gz", BODY), new_place()
    artifact = look_at_artifact(source)
    source.store.put_object(source.location.ref, b"y" * len(BODY))
    (done,) = deliver_artifact(source, artifact, "shop", {"a": place})
    assert done.error_kind is ErrorKind.SOURCE_CHANGED
    assert artifact.sha256 in (done.error or "")
    assert list(place.objects("shop/")) == []


@pytest.mark.parametrize("hook", [object_store.Hook, Undigested])
@pytest.mark.parametrize("size", [len(BODY), 3])
def test_a_source_that_has_changed_replaces_no_copy(hook: Any, size: int) -> None:
    """Nor does it leave anything where there was none."""
    near = new_place()
    source = put(replace(near, store=hook(near.location.conn_id)), "app.tar.gz", BODY)
    artifact, one, two = look_at_artifact(source), new_place(), with_hook(hook)
    places = {"one": one, "two": two}
    deliver_artifact(source, artifact, "shop", {"one": one})
    source.store.put_object(source.location.ref, b"y" * size)
    found = deliver_artifact(source, artifact, "shop", places)
    assert [d.error_kind for d in found] == [None, ErrorKind.SOURCE_CHANGED]
    assert content(one) == BODY
    assert list(two.objects(two.key_of("shop/"))) == []


def test_a_file_that_changes_after_its_look_replaces_no_copy(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, artifact = new_place(), new_place(), look_at_artifact(file)
    deliver_artifact(file, artifact, "shop", {"one": one})
    check = artifacts.look_at_artifact

    def changed(source: Any, **given: Any) -> Any:
        found = check(source, **given)
        file.write_bytes(b"evil")
        return found

    monkeypatch.setattr(artifacts, "look_at_artifact", changed)
    found = deliver_artifact(file, artifact, "shop", {"one": one, "two": two})
    assert [d.error_kind for d in found] == [None, ErrorKind.SOURCE_CHANGED]
    assert content(one) == BODY
    assert list(two.objects(two.key_of("shop/"))) == []


def test_what_lies_at_its_place_needs_no_source(file: Path) -> None:
    one, two = new_place(), new_place()
    deliver(file, one)
    copy = one.below(NAME)
    found = deliver(copy, one, two)
    assert [(d.sent, d.error) for d in found] == [(False, None), (True, None)]
    lost = put(new_place(), "app.tar.gz", BODY)
    artifact = look_at_artifact(lost)
    lost.store.delete_object(lost.location.ref)
    found = list(deliver_artifact(lost, artifact, "shop", {"one": one, "new": new_place()}))
    assert [d.error_kind for d in found] == [None, ErrorKind.NOT_FOUND]


@pytest.mark.parametrize("name", ["..", "a b", "a\nb", "%2e%2e", "{x}", ".hidden", ""])
def test_a_hostile_name_makes_no_key(file: Path, name: str) -> None:
    with pytest.raises(DeploymentError, match="artifact"):
        deliver(file, new_place(), uri=f"/srv/{name}")
    with pytest.raises(DeploymentError, match="artifact"):
        deliver(file, new_place(), sha256="../" + "0" * 61)


def test_whoever_has_the_url_can_fetch_it(file: Path) -> None:
    place = new_place()
    deliver(file, place)
    url = sign_artifact(place, "shop", look_at_artifact(file), timedelta(minutes=5))
    with urllib.request.urlopen(url.reveal(), timeout=30) as answer:
        assert answer.read() == BODY


def test_a_script_has_a_url_of_its_candidates_place(file: Path) -> None:
    near = "mem://memory_near@lab/near/"
    given = deployment(target(alternatives=[{"region": "mem-2", "network": {"subnets": ["net-2"]},
                                             "artifacts": near}]))  # fmt: skip
    targets = opened(given)
    plan = plan_deployment(given, look_at_artifact(file), targets, ORDER)
    script = startup_scripts(plan, targets["one"].places)
    first, second = plan.targets[0].candidates
    assert "memory_one" in script(first)
    assert "memory_near" in script(second)
    with pytest.raises(DeploymentError, match="plan again") as caught:
        startup_scripts(replace(plan, script_digest="0" * 64), targets["one"].places)
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_a_target_without_a_copy_near_it_is_one_that_failed(file: Path) -> None:
    other = "mem://memory_other@lab/"
    given = deployment(
        target("one"),
        target("two", alternatives=[{"size": "large", "artifacts": other}]),
        target("three", artifacts=other),
    )
    plan = plan_deployment(given, look_at_artifact(file), opened(given), ORDER)
    failed = Delivery(
        place=target()["artifacts"], uri="mem://x", error_kind=ErrorKind.QUOTA, error="full"
    )
    fine = Delivery(place=other, uri="mem://y", sent=True)
    left = where_delivered(plan, [failed, fine])
    assert [len(t.candidates) for t in left.targets] == [0, 1, 1]
    assert left.targets[0].error_kind is ErrorKind.QUOTA
    assert "full" in (left.targets[0].error or "")
    assert left.targets[1].error is None
    assert left.waves == (("two",), ("three", "one"))
    assert where_delivered(plan, [fine]) == plan
