"""Records of revisions: written once, agreed upon, and believed only as they were written."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.revision_records import Revision, revision_of
from airflow_multicloud.core.rollout.revisions import (
    find_revision,
    list_revisions,
    record_revision,
)
from airflow_multicloud.errors import DeploymentError, ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.rollout.givens import target
from tests.unit.rollout.worlds import ARTIFACT, new_place, planned


class Down(object_store.Hook):
    """Out of reach."""

    def list_objects(self, bucket: str, prefix: str = "") -> Any:
        raise StorageError("it is down", kind=ErrorKind.UNAVAILABLE)

    def stat_object(self, ref: Any) -> Any:
        raise StorageError("it is down", kind=ErrorKind.UNAVAILABLE)


def revision(name: str = "1.0", **changed: Any) -> Revision:
    return revision_of(planned(target(), revision=name, health={"port": 80}, **changed))


def places(*, down: int = 0, up: int = 2) -> dict[str, Endpoint]:
    made = [new_place() for _ in range(up)]
    for _ in range(down):
        place = new_place()
        made.append(replace(place, store=Down(place.location.conn_id or "")))
    return {str(place.location): place for place in made}


def keys(place: Endpoint) -> list[str]:
    return [meta.key for meta in place.objects(place.location.key)]


def read(place: Endpoint, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bytes(place.store.get_object(place.ref(key)).read()))
    return found


def write(place: Endpoint, key: str, document: Any) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    place.store.put_object(place.ref(key), body)


def test_a_record_is_written_once_to_every_place() -> None:
    everywhere, one = places(), revision()
    assert record_revision(one, everywhere) == {}
    later = replace(one, first_deployed=one.first_deployed + timedelta(hours=1))
    assert record_revision(later, everywhere) == {}
    for place in everywhere.values():
        (key,) = keys(place)
        assert key == f"releases/shop/revisions/1.0-{one.digest[:16]}.json"
        assert read(place, key)["first_deployed"] == one.first_deployed.isoformat()
    assert find_revision("shop", everywhere, "1.0").revision == one


def test_a_place_that_fails_is_told() -> None:
    everywhere = places(down=1)
    (uri, error), *others = record_revision(revision(), everywhere).items()
    assert not others
    assert uri == list(everywhere)[2]
    assert error.kind is ErrorKind.UNAVAILABLE


def test_revisions_are_listed_newest_first_with_where_they_are() -> None:
    everywhere = places(down=1)
    one, two, away = everywhere
    old = revision("1.0")
    new = replace(revision("2.0"), first_deployed=old.first_deployed + timedelta(days=1))
    record_revision(old, everywhere)
    record_revision(new, {one: everywhere[one]})
    found = list_revisions("shop", everywhere)
    assert [r.revision.revision for r in found.revisions] == ["2.0", "1.0"]
    assert (found.revisions[0].places, found.revisions[0].lacking) == ((one,), (two,))
    assert list(found.unknown) == [away]
    assert list_revisions("other", {one: everywhere[one]}).revisions == ()


def test_a_revision_that_a_place_lacks_must_be_named_in_full() -> None:
    everywhere = places(down=1)
    one, two, away = everywhere
    record_revision(revision(), {two: everywhere[two]})
    name = revision().full_name
    with pytest.raises(DeploymentError, match=f"at {two}, and none at {one}. .*{name}") as caught:
        find_revision("shop", everywhere, "1.0")
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    found = find_revision("shop", everywhere, name)
    assert (found.places, found.lacking, list(found.unknown)) == ((two,), (one,), [away])
    assert "it is down" in found.unknown[away]


def test_no_place_that_answers_is_an_error() -> None:
    with pytest.raises(StorageError, match="it is down"):
        find_revision("shop", places(up=0, down=2), "1.0")


def test_no_such_revision_names_what_could_not_be_read() -> None:
    everywhere = places(down=1)
    with pytest.raises(DeploymentError, match=r"to: there is no revision '1.0'.*it is down") as e:
        find_revision("shop", everywhere, "1.0")
    assert e.value.kind is ErrorKind.NOT_FOUND


def test_places_that_disagree_are_refused_with_both_digests() -> None:
    everywhere = places()
    one, two = everywhere
    first = revision()
    other = revision(artifact=replace(ARTIFACT, sha256="cd" * 32))
    record_revision(first, {one: everywhere[one]})
    record_revision(other, {two: everywhere[two]})
    with pytest.raises(DeploymentError, match="to: the places do not agree") as caught:
        find_revision("shop", everywhere, "1.0")
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    for part in (first.sha256, other.sha256, first.full_name, other.full_name, one, two):
        assert part in str(caught.value)
    assert find_revision("shop", everywhere, other.full_name).revision == other


def test_another_script_of_this_package_is_no_other_revision() -> None:
    one = revision()
    assert replace(one, script_digest="0" * 64).full_name == one.full_name
    assert replace(one, command="./other").full_name != one.full_name
    assert replace(one, health=None).full_name != one.full_name


def test_a_name_that_another_begins_with_is_its_own() -> None:
    everywhere = places()
    for name in ("1.0", "1.0.1", "1.0-rc"):
        record_revision(revision(name), everywhere)
    assert find_revision("shop", everywhere, "1.0").revision.revision == "1.0"
    assert find_revision("shop", everywhere, "1.0-rc").revision.revision == "1.0-rc"


@pytest.mark.parametrize(
    "changed",
    [
        {"sha256": "cd" * 32},
        {"key": "shop/artifacts/../../other"},
        {"key": "/etc/passwd"},
        {"file_name": "../../x"},
        {"file_name": "a\nb"},
        {"deployment_id": "other"},
        {"deployment_id": "../x"},
        {"revision": "9.9"},
        {"revision": "../1.0"},
        {"command": "./evil"},
        {"size": -1},
        {"size": "big"},
        {"port": 0},
        {"health": {"port": 0}},
        {"first_deployed": "2026-01-01T00:00:00"},
        {"first_deployed": "yesterday"},
        {"format": "something else"},
        {"format_version": 2},
    ],
)
def test_a_record_that_was_changed_is_named_and_not_believed(changed: dict[str, Any]) -> None:
    everywhere, one = places(), revision()
    first, second = everywhere
    record_revision(one, everywhere)
    (key,) = keys(everywhere[first])
    write(everywhere[first], key, {**read(everywhere[first], key), **changed})
    found = find_revision("shop", everywhere, "1.0")
    assert found.revision == one
    assert (found.places, list(found.unknown)) == ((second,), [first])
    assert "record" in found.unknown[first]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"7", b"[" * 60_000, b" " * 70_000])
def test_a_record_that_is_none_is_named(body: bytes) -> None:
    everywhere, one = places(), revision()
    first, _ = everywhere
    record_revision(one, everywhere)
    (key,) = keys(everywhere[first])
    write(everywhere[first], key, body)
    assert list(find_revision("shop", everywhere, "1.0").unknown) == [first]


@pytest.mark.parametrize(
    "name", ["note.txt", "1.0.json", "1.0-short.json", "a/1.0-0123456789abcdef.json", ".json"]
)
def test_what_is_no_record_is_left_alone(name: str) -> None:
    everywhere = places(up=1)
    (place,) = everywhere.values()
    write(place, place.key_of(f"shop/revisions/{name}"), b"x")
    found = list_revisions("shop", everywhere)
    assert (found.revisions, found.unknown) == ((), {})


def test_only_the_newest_are_read_and_it_says_so() -> None:
    everywhere = places(up=1)
    (uri,) = everywhere
    for name in ("1.0", "2.0", "3.0"):
        record_revision(revision(name), everywhere)
    found = list_revisions("shop", everywhere, most=2)
    assert {one.revision.revision for one in found.revisions} == {"2.0", "3.0"}
    assert "more than 2 records" in found.unknown[uri]


def test_any_number_of_planted_records_hides_no_other_revision() -> None:
    everywhere, one = places(up=1), revision()
    (place,) = everywhere.values()
    record_revision(one, everywhere)
    for number in range(150):
        write(place, place.key_of(f"shop/revisions/1.0.1-{number:016x}.json"), b"x")
    assert find_revision("shop", everywhere, "1.0").revision == one


@pytest.mark.parametrize("to", ["", "../1.0", "a b", "1\n0", "{x}", "%2e", "a" * 48, None, 7])
def test_a_name_that_can_be_no_revision_is_refused_before_any_request(to: Any) -> None:
    with pytest.raises(DeploymentError, match="to: ") as caught:
        find_revision("shop", places(up=0, down=1), to)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_what_a_planter_gains_is_a_refusal() -> None:
    """Who writes to one place can't make another's revision theirs."""
    everywhere, one = places(), revision()
    first, second = everywhere
    record_revision(one, {first: everywhere[first]})
    planted = replace(
        one, sha256="ee" * 32, key=one.key.replace(one.sha256, "ee" * 32), command="./evil"
    )
    record_revision(planted, {second: everywhere[second]})
    with pytest.raises(DeploymentError, match="do not agree"):
        find_revision("shop", everywhere, "1.0")
