"""What was approved is what runs, and what differs is named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.rollout.approval import (
    check_approved,
    drift_between,
    hash_of,
    plan_document,
    read_plan,
)
from airflow_multicloud.core.rollout.describing import describe_plan
from airflow_multicloud.core.rollout.health import HealthCheck
from airflow_multicloud.core.rollout.plans import Candidate, DeploymentPlan, HourlyPrice
from airflow_multicloud.core.rollout.policy import RolloutPolicy, Strategy
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import ApiCall
from tests.unit.rollout.givens import target
from tests.unit.rollout.worlds import ORDER, Broken, planned

if TYPE_CHECKING:
    from collections.abc import Callable


@cache
def _plan() -> DeploymentPlan:
    return planned(
        target("one", zones=["mem-1a", "mem-1b"]),
        target("two", required=True),
        health={"port": 80},
    )


@pytest.fixture
def plan() -> DeploymentPlan:
    return _plan()


def _through_json(plan: DeploymentPlan) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(plan_document(plan)))
    return document


def _first(plan: DeploymentPlan, **changed: Any) -> DeploymentPlan:
    return replace(plan, targets=(replace(plan.targets[0], **changed), *plan.targets[1:]))


def _candidate(plan: DeploymentPlan, change: Callable[[Candidate], Candidate]) -> DeploymentPlan:
    first, *rest = plan.targets[0].candidates
    return _first(plan, candidates=(change(first), *rest))


def _spec(plan: DeploymentPlan, **changed: Any) -> DeploymentPlan:
    return _candidate(plan, lambda one: replace(one, spec=replace(one.spec, **changed)))


def test_a_plan_comes_back_from_its_document(plan: DeploymentPlan) -> None:
    price = HourlyPrice(amount=Decimal("0.0208"), currency="USD", source="a list")
    priced = _candidate(plan, lambda one: replace(one, hourly_price=price))
    assert read_plan(_through_json(priced)) == priced
    assert read_plan(plan_document(plan)) == plan


def test_the_hash_is_not_of_time_prices_and_what_went_wrong(plan: DeploymentPlan) -> None:
    price = HourlyPrice(amount=Decimal(1), currency="USD", source="a list")
    same = [
        replace(plan, order=ORDER + timedelta(days=1)),
        _candidate(plan, lambda one: replace(one, hourly_price=price)),
    ]
    for one in same:
        assert hash_of(one) == hash_of(plan)
        check_approved(_through_json(plan), one)
        check_approved(hash_of(plan), one)


CHANGES: list[tuple[str, Callable[[DeploymentPlan], DeploymentPlan], str]] = [
    (
        "image",
        lambda p: _spec(p, image=replace(p.targets[0].candidates[0].spec.image, id="linux-2")),
        "one: candidate 1: image: linux-1 approved, linux-2 now",
    ),
    ("subnet", lambda p: _spec(p, subnet="net-2"), "one: candidate 1: subnet: net-1 approved"),
    ("account", lambda p: _spec(p, account_id="x"), "one: candidate 1: account_id: "),
    ("groups", lambda p: _spec(p, security_groups=("web",)), "security_groups: none approved, web"),
    ("public", lambda p: _spec(p, public_address=True), "public_address: False approved, True now"),
    (
        "calls",
        lambda p: _spec(p, calls=(ApiCall(call="x", permissions=("y",)),)),
        "one: candidate 1: calls: call memory.launch",
    ),
    ("digest", lambda p: _candidate(p, lambda c: replace(c, digest="0")), "digest: "),
    ("place", lambda p: _candidate(p, lambda c: replace(c, artifacts="mem://x/")), "artifacts: "),
    ("count", lambda p: _first(p, count=2), "one: count: 1 approved, 2 now"),
    ("required", lambda p: _first(p, required=True), "one: required: False approved, True now"),
    ("connection", lambda p: _first(p, conn_id="x"), "one: conn_id: memory_one approved, x now"),
    (
        "fewer",
        lambda p: _first(p, candidates=p.targets[0].candidates[:1]),
        "one: 2 candidates (mem-1a, mem-1b) approved, 1 candidates (mem-1a) now",
    ),
    ("turned", lambda p: _first(p, candidates=p.targets[0].candidates[::-1]), "zone: mem-1a"),
    ("gone", lambda p: replace(p, targets=p.targets[:1]), "two: approved, and not in the plan"),
    ("order", lambda p: replace(p, targets=p.targets[::-1]), "order of targets: one, two approved"),
    ("waves", lambda p: replace(p, waves=(("one", "two"),)), "waves: [one], [two] approved"),
    ("command", lambda p: replace(p, command="./x"), "command: ./run approved, ./x now"),
    ("script", lambda p: replace(p, script_digest="0"), "startup script: "),
    (
        "artifact",
        lambda p: replace(p, artifact=replace(p.artifact, sha256="0")),
        "artifact: abab",
    ),
    ("health", lambda p: replace(p, health=HealthCheck(port=81)), "health.port: 80 approved, 81"),
    ("no health", lambda p: replace(p, health=None), "health.port: 80 approved, none now"),
    ("lifetime", lambda p: replace(p, url_lifetime=timedelta(1)), "url_lifetime_seconds: 3600.0"),
    (
        "strategy",
        lambda p: replace(p, policy=RolloutPolicy(strategy=Strategy.SIDE_BY_SIDE)),
        "policy.strategy: replace approved, side_by_side now",
    ),
    (
        "a count for a fraction",
        lambda p: replace(p, policy=RolloutPolicy(min_success=1)),
        "policy.min_success: 1.0 approved, 1 now",
    ),
]


@pytest.mark.parametrize(
    ("change", "said"), [c[1:] for c in CHANGES], ids=[name for name, *_ in CHANGES]
)
def test_each_difference_is_named(
    plan: DeploymentPlan, change: Callable[[DeploymentPlan], DeploymentPlan], said: str
) -> None:
    now = change(plan)
    assert hash_of(now) != hash_of(plan)
    found = drift_between(plan, now)
    assert any(said in line for line in found), found
    with pytest.raises(DeploymentError, match="no longer holds") as caught:
        check_approved(_through_json(plan), now)
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    assert said in str(caught.value)
    with pytest.raises(DeploymentError, match="approved_plan: ") as caught:
        check_approved(hash_of(plan), now)
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


@given(st.sets(st.sampled_from(range(len(CHANGES)))), st.sets(st.sampled_from(range(len(CHANGES)))))
def test_there_is_drift_exactly_when_hashes_differ(some: set[int], others: set[int]) -> None:
    was = now = _plan()
    for number in sorted(some):
        was = CHANGES[number][1](was)
    for number in sorted(others):
        now = CHANGES[number][1](now)
    assert bool(drift_between(was, now)) == (hash_of(was) != hash_of(now))


@pytest.mark.parametrize("path", [("hash",), ("command",), ("targets", 0, "count"), ("artifact",)])
def test_a_document_that_was_changed_is_refused(
    plan: DeploymentPlan, path: tuple[Any, ...]
) -> None:
    document = _through_json(plan)
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = {"hash": "0" * 64, "command": "./evil", "count": 7}.get(path[-1])
    with pytest.raises(DeploymentError, match="plan") as caught:
        check_approved(document, plan)
    assert caught.value.kind is ErrorKind.INTEGRITY


@pytest.mark.parametrize("given", [None, 7, [], {}, {"hash": "x"}])
def test_what_is_no_plan_is_refused(plan: DeploymentPlan, given: object) -> None:
    with pytest.raises(DeploymentError, match="plan"):
        check_approved(given, plan)


@pytest.mark.parametrize("given", ["", " ", "None", "{", "{" * 100_000, "[1]", "x" * 100_000])
def test_a_text_that_is_no_plan_is_told_shortly(plan: DeploymentPlan, given: str) -> None:
    with pytest.raises(DeploymentError, match=r"^approved_plan: ") as caught:
        check_approved(given, plan)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("form", [json.dumps, str, lambda d: f" {d['hash']}\n"])
def test_a_plan_as_a_text(plan: DeploymentPlan, form: Callable[[dict[str, Any]], str]) -> None:
    check_approved(form(_through_json(plan)), plan)
    with pytest.raises(DeploymentError):
        check_approved(form(_through_json(plan)), replace(plan, command="./other"))


def test_two_targets_of_one_name_are_not_compared_as_one(plan: DeploymentPlan) -> None:
    evil = replace(plan.targets[0], conn_id="evil")
    twice = replace(plan, targets=(evil, *plan.targets))
    with pytest.raises(DeploymentError, match="approved_plan: targets: two targets named one") as e:
        check_approved(_through_json(twice), plan)
    assert e.value.kind is ErrorKind.INTEGRITY
    assert drift_between(twice, plan)


def test_what_reads_alike_is_told_apart(plan: DeploymentPlan) -> None:
    was = _spec(plan, security_groups=("a, b",))
    (told,) = drift_between(was, _spec(plan, security_groups=("a", "b")))
    assert "security_groups: ['a, b'] approved, ['a', 'b'] now" in told


def _with_outage() -> DeploymentPlan:
    hook = Broken(
        {
            None: (ErrorKind.UNAVAILABLE, "it is down"),
            "mem-1a": (ErrorKind.UNAVAILABLE, "it is down"),
        }
    )
    return planned(
        target("one", zones=["mem-1a", "mem-1b"]),
        target("two", required=True),
        health={"port": 80},
        hooks={"one": hook},
    )


def test_an_outage_is_no_difference(plan: DeploymentPlan) -> None:
    now = _with_outage()
    check_approved(_through_json(plan), now)
    # By the hash alone nobody can tell.
    with pytest.raises(DeploymentError, match=r"out of reach for now: one"):
        check_approved(hash_of(plan), now)


def test_what_could_not_be_approved_does_not_run(plan: DeploymentPlan) -> None:
    with pytest.raises(DeploymentError, match="one: no candidates approved, 2 candidates"):
        check_approved(_through_json(_with_outage()), plan)


def test_an_outage_hides_no_difference(plan: DeploymentPlan) -> None:
    now = replace(_with_outage(), command="./other")
    with pytest.raises(DeploymentError, match="command"):
        check_approved(_through_json(plan), now)


def test_a_plan_in_words(plan: DeploymentPlan) -> None:
    price = HourlyPrice(amount=Decimal("0.0208"), currency="USD", source="a list of 2026")
    priced = _first(_candidate(plan, lambda one: replace(one, hourly_price=price)), count=3)
    text = "\n".join(describe_plan(priced))
    for part in (
        "deployment shop, revision abababababab",
        "SHA-256 " + "ab" * 32,
        plan.script_digest,
        "goes to mem://memory_one@lab/releases/ (its connection",
        "wave 1 (canary): one",
        "wave 2: two",
        "target one: 3 × memory",
        "1. mem-1a: small, image Linux (linux-1), account memory-memory_one",
        "0.0208 USD an hour each (a list of 2026)",
        "calls memory.launch (needs memory.instances.launch)",
        "  one: 0.0624 USD an hour, 45.55 USD a month, not known: no list price of small in mem-1",
        "  two: not known: no list price of small in mem-1",
        "alone): 0.0624 USD an hour, 45.55 USD a month; not known for one, two",
        f"plan hash {hash_of(priced)}",
    ):
        assert part in text
    assert "price not known" in text


def test_a_plan_in_words_says_what_is_out_of_reach() -> None:
    text = "\n".join(describe_plan(_with_outage()))
    assert "can't be planned for now: unavailable: " in text


def test_words_of_others_do_not_forge_a_line(plan: DeploymentPlan) -> None:
    forged = _spec(plan, subnet="x\nplan hash 0000")
    assert all("\n" not in line for line in describe_plan(forged))
    assert "\\nplan hash" in "\n".join(describe_plan(forged))
