"""What is known of a drill when it is judged, and what of it a reader should know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.core.drill.controls import ControlKind, ControlOutcome
from airflow_multicloud.core.drill.parts import Part, PartOutcome
from airflow_multicloud.core.pages import duration
from airflow_multicloud.known_clouds import list_providers

#: In how many clouds evidence is kept, so that it survives one. Where no place is named, in as many
#: replicas' buckets.
COPIES = 2


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A place that could not take the evidence.

    :param uri: of the place.
    :param why: the error.
    """

    uri: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a drill is judged by.

    :param measurement: a :class:`~.failover.Measurement` as a document, or one that
        :func:`~.unmeasured.unmeasured` made.
    :param verification: a :class:`VerificationReport` as a document, for each replica.
    :param before: what was wrong before anything was done, a sentence each: what preflight denied.
    :param parts: what was drilled besides objects.
    :param places: URIs where the evidence is to be kept.
    :param unwritten: those of them that could not take it, as far as that is known.
    """

    measurement: Mapping[str, Any]
    verification: Sequence[Mapping[str, Any]]
    before: Sequence[str] = ()
    parts: Sequence[Part] = ()
    places: Sequence[str] = ()
    unwritten: Sequence[Unwritten] = ()

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
            *self.about_evidence(),
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

    def about_evidence(self) -> Iterator[str]:
        """Why fewer than two clouds hold the evidence, if that is so: a part of a sentence."""
        lost = {one.uri for one in self.unwritten}
        held = [uri for uri in self.places if uri not in lost]
        if not self.places or len(_clouds_of(held)) >= COPIES:
            return
        failed = "; ".join(
            f"it could not be written to {one.uri}: {one.why}" for one in self.unwritten
        )
        if not held:
            yield f"the evidence is kept nowhere: {failed}"
            return
        yield f"{_in_one_cloud(held)}; {failed or 'name places in two'}"


def why_not_in_two_clouds(places: Sequence[str]) -> str | None:
    """What is wrong with these places of evidence, a part of a sentence, or ``None``."""
    return None if len(_clouds_of(places)) >= COPIES else _in_one_cloud(places)


def _in_one_cloud(places: Sequence[str]) -> str:
    return f"the evidence is kept in one cloud only ({', '.join(places)}), and is lost with it"


def _clouds_of(places: Sequence[str]) -> set[str]:
    """By name; what is of no known cloud counts by its scheme."""
    named = {scheme: cloud.name for cloud in list_providers() for scheme in cloud.uri_schemes}
    schemes = [uri.partition("://")[0] for uri in places]
    return {named.get(scheme, scheme) for scheme in schemes}
