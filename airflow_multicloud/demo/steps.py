"""What the tasks of a drill returned, each in a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def told_of(task: str, value: Any) -> str | None:
    """One task's result; none when there is nothing to tell."""
    tell = _TOLD.get(task)
    return tell(value) if tell is not None and isinstance(value, dict) else None


def _asked(value: dict[str, Any]) -> str:
    return (
        f"{value['allowed']} permissions allowed, {value['denied']} denied, {value['unknown']} "
        "not known"
    )


def _replicated(value: dict[str, Any]) -> str:
    outcomes = "; ".join(
        f"{d['uri'].partition('://')[0]}: "
        + ", ".join(f"{n} {outcome}" for outcome, n in d["outcomes"].items())
        for d in value["destinations"]
    )
    read = f"{value['bytes_read'] / 1e6:.1f} MB read once"
    root = value["root"] and f"{value['root'][:12]}…"
    return f"{outcomes}; {read}; root {root}"


def _verified(value: dict[str, Any]) -> str:
    findings = ", ".join(f"{n} {finding}" for finding, n in value["findings"].items())
    return f"{value['replica']}: {findings}; root {value['content'][:12]}…"


def _written(value: dict[str, Any]) -> str:
    return f"written at {value['written_at'][11:23]}, SHA-256 {value['sha256'][:12]}…"


def _recovered(value: dict[str, Any]) -> str:
    served = ", ".join(f"{n} from {uri}" for uri, n in value["recovered"]["served"].items())
    controls = ", ".join(sorted({c["outcome"] for c in value["controls"]}))
    return f"primary {value['fault']}; recovered {served}; a corrupt copy was {controls}"


def _judged(value: dict[str, Any]) -> str:
    times = {name: value[f"{name.lower()}_seconds"] for name in ("RTO", "RPO")}
    told = ", ".join(f"{n} {'none' if t is None else f'{t:.1f} s'}" for n, t in times.items())
    return f"{value['verdict']}: {told}"


def _exported(value: dict[str, Any]) -> str:
    told = (f"{d['accepted']} of {d['points_in']} at {d['cloud']}" for d in value["destinations"])
    return f"the run's figures: {', '.join(told)}"


_TOLD: dict[str, Callable[[dict[str, Any]], str]] = {
    "preflight": _asked,
    "replicate": _replicated,
    "replicate_canary": _replicated,
    "verify": _verified,
    "canary": _written,
    "recover": _recovered,
    "judge": _judged,
    "export": _exported,
}
