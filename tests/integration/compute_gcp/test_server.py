"""The local Compute Engine is strict: what Google's document does not allow is refused."""

from __future__ import annotations

import time
import uuid
from copy import deepcopy
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.compute_gcp.conftest import MARK, admin

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.compute import GCPComputeHook
    from airflow_multicloud.testing.local_clouds import LocalServer
    from tests.integration.compute_gcp.conftest import Ask, Order

ZONE = "zones/us-central1-a"
INSTANCES = f"{ZONE}/instances"
BODY: dict[str, Any] = {
    "machineType": f"{ZONE}/machineTypes/e2-small",
    "disks": [
        {
            "boot": True,
            "autoDelete": True,
            "initializeParams": {
                "sourceImage": "projects/debian-cloud/global/images/family/debian-12",
                "description": "Boot disk made by airflow-multicloud together with its instance",
                "labels": {MARK: "1"},
            },
        }
    ],
    "networkInterfaces": [{"subnetwork": "regions/us-central1/subnetworks/default"}],
    "labels": {MARK: "1"},
}


def body(**more: Any) -> dict[str, Any]:
    return {**deepcopy(BODY), "name": f"t-{uuid.uuid4().hex[:10]}", **more}


def refused(answer: Any, status: int, reason: str) -> str:
    error = answer.json()["error"]
    assert answer.status_code == error["code"] == status, error
    assert [e["reason"] for e in error["errors"]] == [reason]
    assert error["errors"][0]["message"] == error["message"]
    return str(error["message"])


def done(ask: Ask, operation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ask("POST", f"{ZONE}/operations/{operation['name']}/wait").json()
    assert found["status"] == "DONE"
    return found


@pytest.mark.usefixtures("hook")
class TestRequests:
    @pytest.mark.parametrize(
        ("wrong", "text"),
        [
            ({"nonsense": 1}, "nonsense"),
            ({"canIpForward": "yes"}, "canIpForward"),
            ({"keyRevocationActionType": "EXPLODE"}, "EXPLODE"),
            ({"name": "Not-A-Name"}, "resource.name"),
            ({"labels": {"Key": "v"}}, "Label key 'Key' violates format constraints"),
            ({"labels": {"key": "V"}}, "Label value 'V' violates format constraints"),
            ({"machineType": f"{ZONE}/machineTypes/e9-huge"}, "does not exist in zone"),
            ({"machineType": "zones/us-central1-b/machineTypes/e2-small"}, "machineType"),
            ({"networkInterfaces": [{"subnetwork": "regions/us-central1/subnetworks/x"}]}, "found"),
            ({"networkInterfaces": []}, "networkInterfaces"),
            ({"disks": []}, "resource.disks"),
            (
                {"metadata": {"items": [{"key": "startup-script", "value": "x" * 300_000}]}},
                "maximum size 262144",
            ),
        ],
    )
    def test_bodies(self, ask: Ask, wrong: dict[str, Any], text: str) -> None:
        answer = ask("POST", INSTANCES, json=body(**wrong))
        assert text in refused(answer, HTTPStatus.BAD_REQUEST, "invalid")

    @pytest.mark.parametrize(
        ("image", "text"),
        [("no-such", "cannot be found"), ("debian-12-bookworm-v20260609", "obsolete")],
    )
    def test_images(self, ask: Ask, image: str, text: str) -> None:
        wanted = body()
        link = f"projects/debian-cloud/global/images/{image}"
        wanted["disks"][0]["initializeParams"]["sourceImage"] = link
        answer = ask("POST", INSTANCES, json=wanted)
        assert text in refused(answer, HTTPStatus.BAD_REQUEST, "invalid")

    def test_a_disk_smaller_than_its_image(self, ask: Ask) -> None:
        wanted = body()
        wanted["disks"][0]["initializeParams"]["diskSizeGb"] = "5"
        answer = ask("POST", INSTANCES, json=wanted)
        assert "10 GB" in refused(answer, HTTPStatus.BAD_REQUEST, "invalid")

    @pytest.mark.parametrize(
        "query",
        [
            {"nonsense": "1"},
            {"maxResults": "501"},
            {"maxResults": "-1"},
            {"pageToken": "x"},
            {"orderBy": "size"},
            {"filter": "labels.a"},
            {"filter": "labels.a:b"},
            {"filter": 'labels.a!="b"'},
            {"filter": 'labels.a="b" OR labels.c="d"'},
            {"filter": "name:*"},
            {"filter": "labels.a=*"},
            {"filter": "machineType=e2-small"},
            {"filter": "name eq t-.*"},
        ],
    )
    def test_queries(self, ask: Ask, query: dict[str, str]) -> None:
        answer = ask("GET", "aggregated/instances", params=query)
        refused(answer, HTTPStatus.BAD_REQUEST, "invalid")

    @pytest.mark.parametrize(
        "path",
        [
            f"{ZONE}/instances/none",
            f"{ZONE}/disks/none",
            f"{ZONE}/operations/none",
            f"{ZONE}/machineTypes/none",
            "zones/us-nowhere1-a",
            "regions/us-nowhere1",
            "regions/us-central1/subnetworks/none",
            "zones/us-nowhere1-a/machineTypes",
        ],
    )
    def test_what_is_not_there(self, ask: Ask, path: str) -> None:
        text = refused(ask("GET", path), HTTPStatus.NOT_FOUND, "notFound")
        assert "was not found" in text

    def test_what_is_not_simulated(self, ask: Ask) -> None:
        refused(ask("GET", "global/firewalls"), HTTPStatus.NOT_IMPLEMENTED, "notImplemented")
        refused(ask("GET", "no/such/path"), HTTPStatus.NOT_FOUND, "notFound")
        refused(ask("GET", "zones", project="other"), HTTPStatus.NOT_FOUND, "notFound")


@pytest.mark.usefixtures("hook")
class TestRequestIds:
    def test_the_same_is_the_same_operation(self, ask: Ask) -> None:
        query = {"requestId": str(uuid.uuid4())}
        wanted = body()
        first = ask("POST", INSTANCES, json=wanted, params=query).json()
        other = {**wanted, "labels": {MARK: "2"}}
        second = ask("POST", INSTANCES, json=other, params=query).json()
        assert second["name"] == first["name"]
        done(ask, first)
        third = ask("POST", INSTANCES, json=wanted, params=query).json()
        assert third["status"] == "DONE"
        assert third["targetId"] == first["targetId"]

    def test_another_meets_the_name(self, ask: Ask) -> None:
        wanted = body()
        for _ in range(2):
            answer = ask("POST", INSTANCES, json=wanted, params={"requestId": str(uuid.uuid4())})
        text = refused(answer, HTTPStatus.CONFLICT, "alreadyExists")
        assert wanted["name"] in text

    @pytest.mark.parametrize("given", ["", "1", str(uuid.UUID(int=0))])
    def test_no_uuid(self, ask: Ask, given: str) -> None:
        answer = ask("POST", INSTANCES, json=body(), params={"requestId": given})
        refused(answer, HTTPStatus.BAD_REQUEST, "invalid")

    def test_of_another_kind(self, ask: Ask) -> None:
        wanted, query = body(), {"requestId": str(uuid.uuid4())}
        done(ask, ask("POST", INSTANCES, json=wanted, params=query).json())
        answer = ask("DELETE", f"{INSTANCES}/{wanted['name']}", params=query)
        refused(answer, HTTPStatus.BAD_REQUEST, "invalid")


@pytest.mark.usefixtures("hook")
class TestOperations:
    def test_two_looks(self, ask: Ask) -> None:
        begun = ask("POST", INSTANCES, json=body()).json()
        assert begun["status"] == "PENDING"
        path = f"{ZONE}/operations/{begun['name']}"
        assert [ask("GET", path).json()["status"] for _ in range(2)] == ["RUNNING", "DONE"]

    def test_some_time(self, ask: Ask) -> None:
        wanted = body()
        ask("POST", INSTANCES, json=wanted)
        path, end = f"{INSTANCES}/{wanted['name']}", time.monotonic() + 20
        assert ask("GET", path).json()["status"] == "PROVISIONING"
        while ask("GET", path).json()["status"] != "RUNNING":
            assert time.monotonic() < end
            time.sleep(0.05)

    def test_are_listed_and_forgotten(self, ask: Ask) -> None:
        begun = ask("POST", INSTANCES, json=body()).json()
        path = f"{ZONE}/operations/{begun['name']}"
        refused(ask("DELETE", path), HTTPStatus.BAD_REQUEST, "invalid")
        done(ask, begun)
        query = {"filter": f"name={begun['name']}"}
        assert len(ask("GET", f"{ZONE}/operations", params=query).json()["items"]) == 1
        assert ask("DELETE", path).status_code == HTTPStatus.OK
        refused(ask("GET", path), HTTPStatus.NOT_FOUND, "notFound")

    def test_one_at_a_time(self, ask: Ask) -> None:
        wanted = body()
        begun = ask("POST", INSTANCES, json=wanted).json()
        path = f"{INSTANCES}/{wanted['name']}"
        refused(ask("DELETE", path), HTTPStatus.BAD_REQUEST, "resourceNotReady")
        refused(ask("POST", f"{path}/stop"), HTTPStatus.BAD_REQUEST, "resourceNotReady")
        done(ask, begun)
        done(ask, ask("DELETE", path).json())
        refused(ask("GET", path), HTTPStatus.NOT_FOUND, "notFound")
        disk = f"{ZONE}/disks/{wanted['name']}"
        refused(ask("GET", disk), HTTPStatus.NOT_FOUND, "notFound")


class TestResources:
    def test_are_in_googles_form(self, ask: Ask, hook: GCPComputeHook, order: Order) -> None:
        wanted = order()
        hook.launch_instance(wanted)
        found = ask("GET", f"{INSTANCES}/{wanted.name}").json()
        assert found["id"].isdecimal()
        assert found["selfLink"].endswith(f"/compute/v1/projects/local/{INSTANCES}/{wanted.name}")
        assert found["creationTimestamp"].endswith("-08:00")
        assert found["labelFingerprint"]
        assert found["networkInterfaces"][0]["networkIP"].startswith("127.")
        disk = ask("GET", f"{ZONE}/disks/{wanted.name}").json()
        assert disk["users"] == [found["selfLink"]]
        assert disk["labels"] == found["labels"]
        answer = ask("DELETE", f"{ZONE}/disks/{wanted.name}")
        refused(answer, HTTPStatus.BAD_REQUEST, "resourceInUseByAnotherResource")

    def test_a_fingerprint_of_before(self, ask: Ask, hook: GCPComputeHook, order: Order) -> None:
        wanted = order()
        hook.launch_instance(wanted)
        for path in (f"{INSTANCES}/{wanted.name}", f"{ZONE}/disks/{wanted.name}"):
            old = ask("GET", path).json()["labelFingerprint"]
            change = {"labels": {MARK: "2"}, "labelFingerprint": old}
            assert ask("POST", f"{path}/setLabels", json=change).status_code == HTTPStatus.OK
            answer = ask("POST", f"{path}/setLabels", json=change)
            refused(answer, HTTPStatus.PRECONDITION_FAILED, "conditionNotMet")

    def test_pages(self, ask: Ask, hook: GCPComputeHook, order: Order) -> None:
        names = sorted(hook.launch_instance(order(page="p")).resource[-12:] for _ in range(3))
        query: dict[str, Any] = {"filter": 'labels.page="p"', "maxResults": 2}
        sizes, found = [], []
        while True:
            page = ask("GET", INSTANCES, params=query).json()
            sizes.append(len(page["items"]))
            found += [item["name"] for item in page["items"]]
            if "nextPageToken" not in page:
                break
            query["pageToken"] = page["nextPageToken"]
        assert sizes == [2, 1]
        assert sorted(found) == names

    @pytest.mark.parametrize(
        ("text", "fits"),
        [
            ("labels.slot=one", True),
            ('labels.slot="one"', True),
            ("labels.slot:*", True),
            ('(labels.slot="one") (labels.gcp-test:*)', True),
            ('labels.slot="one" AND labels.gcp-test="1"', True),
            ('labels.slot="one" AND labels.gcp-test="2"', False),
            ("labels.other:*", False),
            ("labels.slot:* AND status=TERMINATED", False),
        ],
    )
    def test_filters(
        self, ask: Ask, hook: GCPComputeHook, order: Order, text: str, *, fits: bool
    ) -> None:
        hook.launch_instance(order(slot="one"))
        page = ask("GET", INSTANCES, params={"filter": text}).json()
        assert len(page.get("items", [])) == int(fits)
        scopes = ask("GET", "aggregated/instances", params={"filter": text}).json()["items"]
        empty = [s for s in scopes.values() if s.get("warning", {}).get("code")]
        assert len(empty) == len(scopes) - int(fits)
        assert {scope["warning"]["code"] for scope in empty} == {"NO_RESULTS_ON_PAGE"}


def test_what_is_planted_after_a_reset(
    ask: Ask, hook: GCPComputeHook, order: Order, local_compute_engine: LocalServer
) -> None:
    """As much as was planted before it: it is another fault all the same."""
    wanted = order()
    hook.launch_instance(wanted)
    owner, path = admin(local_compute_engine), f"{INSTANCES}/{wanted.name}"
    fault = {"kind": "refuse", "call": "describe", "error": "throttled", "times": 1}
    for _ in range(2):
        owner.reset()
        owner.seed("machine_faults", [fault])
        refused(ask("GET", path), HTTPStatus.FORBIDDEN, "rateLimitExceeded")
        assert ask("GET", path).status_code == HTTPStatus.OK
    assert [told["status"] for told in owner.requests()] == [403, 200]


def test_the_revision_is_the_documents() -> None:
    from airflow_multicloud.testing.local_clouds.gcp.compute.server import revision

    assert revision().isdecimal()
    assert len(revision()) == len("20261106")
