"""What was approved is what runs: a plan's hash, and how two plans differ."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from airflow_multicloud.core.rollout.digests import digest_of_document
from airflow_multicloud.core.rollout.planning import waves_for
from airflow_multicloud.core.rollout.plans import DeploymentPlan, TargetPlan
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.text import shortened

_HASH = "hash"
_LONGEST_SHOWN = 100
_LONGEST_ERROR = 300
#: How people call what a plan calls otherwise.
_CALLED = {
    "spec.image.id": "image",
    "spec.size.name": "size",
    "artifact.sha256": "SHA-256 of the artifact",
    "script_digest": "startup script",
}


def hash_of(plan: DeploymentPlan) -> str:
    """SHA-256, in hex, of all that is approved with a plan.

    Not of when it was made, nor of prices, which are estimates, nor of why a target could not be
    planned.
    """
    return digest_of_document(_approved(plan))


def plan_document(plan: DeploymentPlan) -> dict[str, Any]:
    """A plan as a document of plain values that JSON can write, with its hash."""
    return {_HASH: hash_of(plan), **_plain(to_document(plan))}


def read_plan(document: object) -> DeploymentPlan:
    """The plan that :func:`plan_document` made a document of.

    :raises DeploymentError: ``integrity`` when it can't be read, or was changed since.
    """
    try:
        plan = read_document(DeploymentPlan, document, what="plan")
    except CloudError as err:
        raise DeploymentError(str(err), kind=err.kind) from err
    given = document.get(_HASH) if isinstance(document, Mapping) else None
    if given != hash_of(plan):
        raise DeploymentError(
            f"plan: its hash is {given}, and what it says has {hash_of(plan)}; it was changed "
            "after it was made: plan again, and have that approved",
            kind=ErrorKind.INTEGRITY,
        )
    return plan


def check_approved(approved: object, now: DeploymentPlan) -> None:
    """Refuse to run what was not approved.

    A target that can't be planned for now, because of an outage, is no difference: nothing is made
    that was not approved.

    :param approved: the document of a plan, its text (JSON, or as Jinja writes one without native
        objects), or its hash alone.
    :raises DeploymentError: ``precondition_failed``, naming every difference where the document is
        there; ``integrity`` for a document whose hash does not fit it.
    """
    document = _read_text(approved.strip()) if isinstance(approved, str) else approved
    if isinstance(document, str):
        if document != hash_of(now):
            raise DeploymentError(
                f"approved_plan: {shortened(repr(document), _LONGEST_SHOWN)} given, and the plan "
                f"is now {hash_of(now)}{_outages(now)}; give the plan that was approved to see "
                "what differs",
                kind=ErrorKind.PRECONDITION_FAILED,
            )
        return
    try:
        plan = read_plan(document)
        _check_names(plan)
    except DeploymentError as err:
        raise DeploymentError(
            f"approved_plan: {shortened(str(err), _LONGEST_ERROR)}", kind=err.kind
        ) from err
    if found := drift_between(plan, now):
        raise DeploymentError(
            f"the plan that was approved no longer holds: {'; '.join(found)}; plan again, and have "
            "that approved",
            kind=ErrorKind.PRECONDITION_FAILED,
        )


def _read_text(text: str) -> object:
    """The mapping that a text writes, else the text."""
    if not text.startswith("{"):
        return text
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        # A deeply nested text exhausts the parser, whatever it is.
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return text


def _check_names(plan: DeploymentPlan) -> None:
    """One of two targets of a name would be compared, and the other one be taken as approved."""
    names = [target.name for target in plan.targets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DeploymentError(
            f"targets: two targets named {', '.join(twice)}", kind=ErrorKind.INTEGRITY
        )


def drift_between(approved: DeploymentPlan, now: DeploymentPlan) -> list[str]:
    """Each difference between two plans, in words; none when what runs is what was approved."""
    was, is_ = _approved(_with_outages(approved, now)), _approved(now)
    digests = [digest_of_document(document) for document in (was, is_)]
    if digests[0] == digests[1]:  # 1 and 1.0 are equal to Python only
        return []
    found = list(_differences(was, is_))
    # A digest differs because something else does, which says more.
    said = [text for name, text in found if name != "digest"] or [text for _, text in found]
    return said or [f"digest: {digests[0]} approved, {digests[1]} now"]


def _approved(plan: DeploymentPlan) -> dict[str, Any]:
    document: dict[str, Any] = _plain(to_document(plan))
    del document["order"]
    for target in document["targets"]:
        del target["error"], target["error_kind"]
        for candidate in target["candidates"]:
            del candidate["hourly_price"]
    return document


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case Decimal():
            return str(value)
    return value


def _with_outages(approved: DeploymentPlan, now: DeploymentPlan) -> DeploymentPlan:
    """The approved plan as it would have been, had what is out of reach now been so then."""
    out = {target.name for target in now.targets if _is_out(target)}
    if not out:
        return approved
    targets = tuple(
        replace(target, candidates=()) if target.name in out else target
        for target in approved.targets
    )
    return replace(approved, targets=targets, waves=waves_for(targets, approved.policy))


def _is_out(target: TargetPlan) -> bool:
    return target.error_kind is not None and not target.candidates


def _outages(now: DeploymentPlan) -> str:
    names = [target.name for target in now.targets if _is_out(target)]
    return f" (out of reach for now: {', '.join(names)})" if names else ""


def _differences(was: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names of fields with what is said of them."""
    old, new = ({one["name"]: one for one in plan.pop("targets")} for plan in (was, now))
    yield from _fields("", was, now)
    for name in sorted(old.keys() - new.keys()):
        yield name, f"{name}: approved, and not in the plan now"
    for name in sorted(new.keys() - old.keys()):
        yield name, f"{name}: not approved, and in the plan now"
    if (before := [n for n in old if n in new]) != (after := [n for n in new if n in old]):
        yield "targets", f"order of targets: {_shown(before)} approved, {_shown(after)} now"
    for name, target in old.items():
        if name in new:
            yield from _of_target(name, target, new[name])


def _of_target(name: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str]]:
    old, new = was.pop("candidates"), now.pop("candidates")
    yield from _fields(f"{name}: ", was, now)
    if len(old) != len(new):
        yield "candidates", f"{name}: {_places(old)} approved, {_places(new)} now"
        return
    for number, (one, other) in enumerate(zip(old, new, strict=True), 1):
        which = f"{name}: " if len(old) == 1 else f"{name}: candidate {number}: "
        yield from _fields(which, one, other)


def _places(candidates: list[dict[str, Any]]) -> str:
    names = [f"{c['spec']['zone'] or c['spec']['region']}" for c in candidates]
    return f"{len(names)} candidates ({', '.join(names)})" if names else "no candidates"


def _fields(
    which: str, was: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    old, new = dict(_flat("", was)), dict(_flat("", now))
    for path in dict.fromkeys([*old, *new]):
        before, after = old.get(path), new.get(path)
        if before != after or type(before) is not type(after):
            name = _CALLED.get(path, path.removeprefix("spec."))
            texts = (_shown(before), _shown(after))
            if texts[0] == texts[1]:
                texts = (repr(before), repr(after))
            yield path, f"{which}{name}: {texts[0]} approved, {texts[1]} now"


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        yield path, value
        return
    for key, inner in value.items():
        yield from _flat(f"{path}.{key}" if path else key, inner)


def _shown(value: object) -> str:
    match value:
        case None | [] | "":
            return "none"
        case dict():
            return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
        case list():
            return ", ".join(f"[{_shown(v)}]" if isinstance(v, list) else _shown(v) for v in value)
    return str(value)
