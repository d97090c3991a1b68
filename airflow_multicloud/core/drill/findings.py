"""What is known of a drill when it is judged, and what of it a reader should know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.core.drill.controls import ControlKind, ControlOutcome
from airflow_multicloud.core.drill.parts import Part, PartOutcome
from airflow_multicloud.core.pages import duration
from airflow_multicloud.known_clouds import canonical_scheme

#: In how many clouds evidence is kept, so that it survives one.
_CLOUDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a drill is judged by.

    :param measurement: a :class:`~.failover.Measurement` as a document, or one that
        :func:`~.unmeasured.unmeasured` made.
    :param verification: a :class:`VerificationReport` as a document, for each replica.
    :param before: what was wrong before anything was done, a sentence each: what preflight denied.
    :param parts: what was drilled besides objects.
    :param places: URIs where the evidence is to be kept.
    """

    measurement: Mapping[str, Any]
    verification: Sequence[Mapping[str, Any]]
    before: Sequence[str] = ()
    parts: Sequence[Part] = ()
    places: Sequence[str] = ()

    @property
    def failed_parts(self) -> list[Part]:
        """What was drilled besides objects, and failed."""
        return [part for part in self.parts if part.outcome is PartOutcome.FAILED]

    def unsound(self) -> Iterator[str]:
        """What was not as it must be before the fault, a sentence for each replica."""
        controls = self.measurement["controls"]
        for replica in dict.fromkeys(control["replica"] for control in controls):
            if not any(replica.startswith(report["replica"]) for report in self.verification):
                yield f"{replica}: it was not verified"
        for report in self.verification:
            if not report["proven"]:
                yield f"{report['replica']}: it is not proven"

    def about_replicas(self) -> Iterator[str]:
        """What became of single replicas, a sentence each."""
        untested: dict[tuple[str, str], list[str]] = {}
        for control in self.measurement["controls"]:
            replica, detail = control["replica"], control["detail"]
            if control["outcome"] == ControlOutcome.ACCEPTED:
                yield f"{replica}: {detail}"
            elif control["outcome"] == ControlOutcome.UNTESTED:
                kind = control.get("kind", ControlKind.CORRUPT)
                untested.setdefault((replica, detail), []).append(kind.replace("_", " "))
        for (replica, detail), kinds in untested.items():
            which = ", ".join(kinds)
            yield f"{replica}: its negative control ({which}) could not be run: {detail}"

    def findings(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        return (
            *self.before,
            *self._about_time(),
            *self.about_replicas(),
            *self.unsound(),
            *(f"{part.kind}: {part.detail}" for part in self.failed_parts),
            *self._about_evidence(),
        )

    def _about_time(self) -> Iterator[str]:
        measured = self.measurement
        ahead, recovered = measured["clock_ahead_seconds"], measured["recovered"]
        if ahead is not None:
            yield (
                f"clocks disagree: what came before the fault is dated {duration(ahead)} after it, "
                "so the RPO can't be measured; set the clocks of the workers and of the primary by "
                "NTP"
            )
        elif recovered and measured["rpo_seconds"] is None:
            yield (
                "the RPO can't be measured: it is not known when this was up to date last: "
                f"{recovered.get('oldest')}"
            )

    def _about_evidence(self) -> Iterator[str]:
        clouds = {canonical_scheme(uri.partition("://")[0]) for uri in self.places}
        if self.places and len(clouds) < _CLOUDS:
            kept = ", ".join(self.places)
            yield (
                f"the evidence is kept in one cloud only ({kept}), and is lost with it; name "
                "places in two"
            )
