"""The record of a drill, which an auditor can read without us."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import Any, ClassVar, Self

from markupsafe import Markup

from airflow_multicloud import __version__
from airflow_multicloud.core import pages
from airflow_multicloud.core.drill.chart import Bar, chart
from airflow_multicloud.core.drill.findings import Facts, Unwritten
from airflow_multicloud.core.drill.history import Earlier, Past, measured
from airflow_multicloud.core.drill.objectives import Objectives, missed_phases
from airflow_multicloud.core.drill.parts import Part
from airflow_multicloud.core.drill.verdict import MEANINGS, Verdict, judge
from airflow_multicloud.documents import Document, to_document

#: Whose versions are in a record, where they are installed.
_SOFTWARE = (
    "apache-airflow-core",
    "apache-airflow-task-sdk",
    "apache-airflow-providers-amazon",
    "apache-airflow-providers-google",
    "apache-airflow-providers-microsoft-azure",
    "obstore",
    "boto3",
    "google-cloud-storage",
    "azure-storage-blob",
    "blake3",
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far a replica's ledger was at the time of a drill: neither can be taken back unnoticed.

    :param uri: of the replica.
    :param commit: the number of its newest commit.
    :param root: the Merkle root of what that commit proves, in hexadecimal.
    """

    uri: str
    commit: int
    root: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything about one drill.

    :param run: who and what held it: names and values, as text.
    :param versions: of the software that held it.
    :param measurement: a :class:`Measurement` as a document, and ``identities``: a
        :class:`CloudProviderStatus` with the ``uri``, for the primary and each replica.
    :param replication: a :class:`ReplicationReport` as a document, for each replication.
    :param verification: a :class:`VerificationReport` as a document, for each replica.
    :param canary: a :class:`Canary` as a document.
    :param anchors: of each replica that was drilled.
    :param reason: why it is this verdict, in a sentence, if that is known.
    :param before: as of :class:`Facts`; so are ``parts``, ``places`` and ``unwritten``.
    :param steps: what became of each task, where tasks held it.
    :param earlier: records of the same drill that are there already.
    :param past: the drills before this one, the oldest first.
    """

    drill_id: str
    verdict: Verdict
    objectives: Objectives
    run: Mapping[str, str]
    versions: Mapping[str, str]
    measurement: Mapping[str, Any]
    replication: Sequence[Mapping[str, Any]]
    verification: Sequence[Mapping[str, Any]]
    canary: Mapping[str, Any]
    written_at: datetime
    anchors: tuple[Anchor, ...] = ()
    reason: str | None = None
    before: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    places: tuple[str, ...] = ()
    unwritten: tuple[Unwritten, ...] = ()
    steps: Mapping[str, str] = field(default_factory=dict)
    earlier: tuple[Earlier, ...] = ()
    past: tuple[Past, ...] = ()

    DOCUMENT: ClassVar = Document(
        (
            "drill_id",
            "verdict",
            "reason",
            "findings",
            "objectives",
            "run",
            "versions",
            "measurement",
            "canary",
            "replication",
            "verification",
            "anchors",
            "before",
            "parts",
            "places",
            "unwritten",
            "steps",
            "earlier",
            "past",
            "written_at",
        ),
        format="airflow-multicloud drill evidence",
        version=3,
        reads=(1, 2),
    )

    @classmethod
    def of(
        cls,
        drill_id: str,
        objectives: Objectives,
        *,
        facts: Facts,
        run: Mapping[str, str],
        replication: Sequence[Mapping[str, Any]],
        canary: Mapping[str, Any],
        anchors: Sequence[Anchor] = (),
        steps: Mapping[str, str] = {},
        earlier: Sequence[Earlier] = (),
        past: Sequence[Past] = (),
    ) -> Self:
        """The record of a drill that has just been held here, with its verdict."""
        verdict, reason = judge(facts, objectives)
        return cls(
            drill_id=drill_id,
            verdict=verdict,
            reason=reason,
            objectives=objectives,
            run=run,
            versions=installed_versions(),
            measurement=facts.measurement,
            replication=replication,
            verification=facts.verification,
            canary=canary,
            written_at=datetime.now(UTC),
            anchors=tuple(anchors),
            before=tuple(facts.before),
            parts=tuple(facts.parts),
            places=tuple(facts.places),
            steps=steps,
            earlier=tuple(earlier),
            past=tuple(past),
        )

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        return (*self._facts().findings(), *missed_phases(self.measurement, self.objectives))

    def judged_again(self, unwritten: Sequence[Unwritten]) -> Self:
        """The same drill, now that it is known which places could not take its record."""
        facts = replace(self._facts(), unwritten=unwritten)
        verdict, reason = judge(facts, self.objectives)
        return replace(self, verdict=verdict, reason=reason, unwritten=tuple(unwritten))

    def _facts(self) -> Facts:
        return Facts(
            measurement=self.measurement,
            verification=self.verification,
            before=self.before,
            parts=self.parts,
            places=self.places,
            unwritten=self.unwritten,
        )

    def html(self) -> bytes:
        """As one page that needs nothing else."""
        page = pages.render(
            __package__,
            "evidence.html.jinja",
            meanings=MEANINGS,
            phase_objectives={
                name: most.total_seconds() for name, most in self.objectives.of_phases().items()
            },
            charts=self._charts() if self.past else (),
            **to_document(self),
        )
        return page.encode()

    def _charts(self) -> tuple[Markup, Markup]:
        """RTO and RPO of the drills before this one, and of this one."""
        ours, now = self.objectives, self.measurement
        mine = f"this drill: {self.verdict}"
        return (
            chart(
                "RTO",
                [
                    *(Bar(one.rto, one.rto_objective, _label(one, one.rto)) for one in self.past),
                    Bar(measured(now, "rto"), ours.rto, mine),
                ],
            ),
            chart(
                "RPO",
                [
                    *(Bar(one.rpo, one.rpo_objective, _label(one, one.rpo)) for one in self.past),
                    Bar(measured(now, "rpo"), ours.rpo, mine),
                ],
            ),
        )


def _label(past: Past, value: timedelta | None) -> str:
    said = "none" if value is None else pages.duration(value.total_seconds())
    return f"{pages.moment(past.written_at)}: {said}, {past.verdict}"


def installed_versions() -> dict[str, str]:
    """Of this package, Python, Airflow, its providers and the clouds' SDKs."""
    found = {"airflow-multicloud": __version__, "python": platform.python_version()}
    for name in _SOFTWARE:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
