"""A plan looks everything up, makes nothing, and says what can't be as it was given."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.cost.prices.file import bundled_prices
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.planning import plan_deployment
from airflow_multicloud.core.rollout.prices import hourly_price
from airflow_multicloud.core.rollout.scripts import script_of
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Architecture, Image, LaunchSpec, Size
from airflow_multicloud.testing.memory_cloud import compute, object_store
from tests.unit.rollout.givens import deployment, target
from tests.unit.rollout.worlds import ARTIFACT, ORDER, Broken, opened, planned

if TYPE_CHECKING:
    from airflow_multicloud.ports.compute import LaunchRequest


def test_candidates_are_resolved_in_order() -> None:
    plan = planned(
        target(zones=["mem-1b", "mem-1a"], alternatives=[{"size": {"vcpus": 4, "memory_gib": 8}}])
    )
    (one,) = plan.targets
    assert [(c.spec.zone, c.spec.size.name) for c in one.candidates] == [
        ("mem-1b", "small"),
        ("mem-1a", "small"),
        ("mem-1b", "large"),
        ("mem-1a", "large"),
    ]
    assert len({c.digest for c in one.candidates}) == 4
    assert {c.spec.image.id for c in one.candidates} == {"linux-1"}
    assert compute.machines_of("memory_one").kept == {}


def test_a_revision_without_a_name_is_called_by_its_artifact() -> None:
    plan = planned()
    assert plan.revision == "abababababab"
    assert plan.order == ORDER
    script = script_of("shop", plan.revision, ARTIFACT, command="./run", port=8080)
    assert plan.script_digest == script.digest


def test_the_digest_is_of_all_that_makes_an_instance_what_it_is() -> None:
    def digest(**changed: object) -> str:
        (one,) = planned(**changed).targets  # type: ignore[arg-type]
        return one.candidates[0].digest

    first = digest()
    assert digest() == first
    assert digest(artifact=replace(ARTIFACT, uri="/elsewhere/app.tar.gz")) == first
    assert digest(artifact=replace(ARTIFACT, sha256="cd" * 32), revision="abababababab") != first
    assert digest(artifact=replace(ARTIFACT, size=1001)) != first
    assert digest(command="./other") != first
    assert digest(port=8081) != first


def test_two_candidates_that_come_to_the_same_are_one() -> None:
    (one,) = planned(target(alternatives=[{"zones": ["mem-1a"]}, {"size": "tiny"}])).targets
    assert [c.spec.size.name for c in one.candidates] == ["small", "tiny"]


def test_a_size_that_is_not_offered_leaves_its_candidate_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hook = Broken({"mem-1a": (ErrorKind.UNSUPPORTED, "size: not offered in mem-1a")})
    with caplog.at_level(logging.WARNING):
        plan = planned(target(zones=["mem-1a", "mem-1b"]), hooks={"one": hook})
    assert [c.spec.zone for c in plan.targets[0].candidates] == ["mem-1b"]
    assert "target one: mem-1a, small is left out" in caplog.text


def test_a_size_that_is_not_offered_anywhere_is_an_error() -> None:
    hook = Broken({None: (ErrorKind.UNSUPPORTED, "size: not offered")})
    with pytest.raises(DeploymentError, match="target one: mem-1, small: size") as caught:
        planned(hooks={"one": hook})
    assert caught.value.kind is ErrorKind.UNSUPPORTED


def test_an_outage_costs_its_target_only() -> None:
    hook = Broken({None: (ErrorKind.UNAVAILABLE, "it is down")})
    plan = planned(target("one"), target("two"), target("three"), hooks={"one": hook})
    one, two, three = plan.targets
    assert (one.candidates, one.error_kind) == ((), ErrorKind.UNAVAILABLE)
    assert "it is down" in (one.error or "")
    assert two.candidates
    assert three.candidates
    # It would be no canary: nothing of it can be begun.
    assert plan.waves == (("two",), ("three", "one"))


def test_what_is_wrong_is_said_of_every_target_at_once() -> None:
    with pytest.raises(DeploymentError) as caught:
        planned(
            target("one", region="mars"),
            target("two"),
            target("three", network={"subnets": ["net-9"]}),
        )
    said = str(caught.value)
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert "target one: mars, small: region: 'mars'" in said
    assert "target three: mem-1, small: subnets: 'net-9'" in said
    assert "target two" not in said


def test_a_wrong_alternative_is_no_matter_of_luck() -> None:
    with pytest.raises(DeploymentError, match="target one: mem-1, huge: size: 'huge'"):
        planned(target(alternatives=[{"size": "huge"}]))


def test_another_account_than_expected_is_refused() -> None:
    assert planned(target(account_id="memory-memory_one")).targets[0].candidates
    with pytest.raises(DeploymentError, match=r"target one: account_id: .* memory-memory_one") as e:
        planned(target(account_id="memory-other"))
    assert e.value.kind is ErrorKind.PRECONDITION_FAILED


class _Unsigned:
    """A store that has no more than it must."""

    def __init__(self, store: object_store.Hook) -> None:
        self.get_object, self.stat_object = store.get_object, store.stat_object


class _Offline(object_store.Hook):
    def sign_url(self, *_: object, **__: object) -> object:  # type: ignore[override]
        raise CloudError("no key for now", kind=ErrorKind.UNAVAILABLE)


def _with_store(store: object) -> None:
    given = deployment(target("one"), target("two"))
    targets = opened(given)
    places = {
        uri: Endpoint("memory", store, end.location)  # type: ignore[arg-type]
        for uri, end in targets["one"].places.items()
    }
    targets["one"] = replace(targets["one"], places=places)
    plan = plan_deployment(given, ARTIFACT, targets, ORDER)
    assert plan.targets[0].error_kind is ErrorKind.UNAVAILABLE
    assert plan.targets[1].candidates


def test_a_store_that_signs_no_urls_is_refused_before_anything_is_made() -> None:
    with pytest.raises(DeploymentError, match=r"target one: artifacts: .* signs no URLs") as caught:
        _with_store(_Unsigned(object_store.Hook("memory_one")))
    assert caught.value.kind is ErrorKind.UNSUPPORTED


def test_a_store_that_can_not_sign_for_now_costs_its_targets() -> None:
    _with_store(_Offline("memory_one"))


def test_an_artifact_that_no_script_can_have_is_refused() -> None:
    with pytest.raises(DeploymentError, match="artifact_name"):
        planned(artifact=replace(ARTIFACT, uri="/srv/app.zip"))


class _Together(compute.Hook):
    """Answers once all targets are being asked."""

    def __init__(self, barrier: threading.Barrier) -> None:
        super().__init__("memory_one")
        self.barrier = barrier

    def resolve_launch(self, request: LaunchRequest) -> LaunchSpec:
        self.barrier.wait(timeout=30)
        return super().resolve_launch(request)


def test_targets_are_looked_up_at_the_same_time() -> None:
    hook = _Together(threading.Barrier(3))
    zones = {"one": "mem-1a", "two": "mem-1b", "three": "mem-1c"}
    targets = (target(name, zones=[zone]) for name, zone in zones.items())
    plan = planned(*targets, hooks=dict.fromkeys(zones, hook))
    assert [t.name for t in plan.targets] == [*zones]


class _Counting(compute.Hook):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__("memory_one")
        self.asked: list[str | None] = []

    def resolve_launch(self, request: LaunchRequest) -> LaunchSpec:
        self.asked.append(request.zone)
        return super().resolve_launch(request)


def test_targets_that_ask_the_same_are_looked_up_once() -> None:
    hook = _Counting()
    names = ("one", "two", "three")
    targets = (target(name, zones=["mem-1a", "mem-1b"]) for name in names)
    plan = planned(*targets, hooks=dict.fromkeys(names, hook))
    assert sorted(map(str, hook.asked)) == ["mem-1a", "mem-1b"]
    assert [len(t.candidates) for t in plan.targets] == [2, 2, 2]


def _spec(region: str, size: str) -> LaunchSpec:
    x86 = Architecture.X86_64
    return LaunchSpec(
        account_id="a",
        region=region,
        zone=None,
        size=Size(name=size, vcpus=1, memory_bytes=1, architecture=x86),
        image=Image(id="i", name="i", architecture=x86),
        subnet="s",
    )


@pytest.mark.parametrize(
    ("cloud", "region", "size", "amount"),
    [
        ("aws", "us-east-1", "t3.small", "0.0208"),
        ("gcp", "us-east1", "e2-small", "0.01675"),
        ("azure", "eastus", "Standard_B2s", "0.0416"),
        ("aws", "eu-west-1", "t3.small", None),
        ("aws", "us-east-1", "z9.huge", None),
        ("memory", "us-east-1", "t3.small", None),
    ],
)
def test_prices_are_those_of_the_size_in_its_region(
    cloud: str, region: str, size: str, amount: str | None
) -> None:
    found = hourly_price(bundled_prices(), cloud, _spec(region, size), today=ORDER.date())
    if amount is None:
        assert found is None
    else:
        assert found is not None
        assert (found.amount, found.currency) == (Decimal(amount), "USD")
        assert "2026" in found.source
