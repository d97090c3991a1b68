"""Rigs of the cost contract: a hook, an export that tests fill, and how to spoil it.

A rig is one small class over :class:`CostRig`. Where an export lies in an object store and a
writer of :mod:`airflow_multicloud.testing.bills` puts it there, subclass
:class:`~.stored.StoredExportRig`; a table is a :class:`CostRig` whose ``publish`` inserts rows
(``bills.bigquery``, ``bills.bigquery_schemas``). What the local server can't do, or the cloud does
not state, is a gap: the test's name with the reason, a strict xfail. APIs: a rig whose local
server answers one overrides ``seed_costs`` and its siblings and names the capability in its
spec's ``answers``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, TypeVar

import pytest

from airflow_multicloud.ports.cost import (
    CorrectionStyle,
    Cost,
    CostForecasts,
    CostQueries,
    CostRecommendations,
    FileFormat,
    PriceLists,
)
from airflow_multicloud.testing.bills import Bill, FileOptions, Published
from airflow_multicloud.testing.contracts.rigs import (
    apply_gaps,
    has_capability,
    parametrize,
)

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_multicloud.ports.cost import (
        ApiForecast,
        CostQueryRow,
        ListPrice,
        Recommendation,
    )

P = TypeVar("P")

#: Every optional capability of a cost hook.
COST_CAPABILITIES: tuple[type, ...] = (CostQueries, CostForecasts, CostRecommendations, PriceLists)


class Damage(StrEnum):
    """What can be wrong with a delivery; all of it is there before the manifest is."""

    TRUNCATED_FILE = "truncated_file"
    MISSING_FILE = "missing_file"
    UNREADABLE_MANIFEST = "unreadable_manifest"
    ROW_COUNT = "row_count"


class CostRig(ABC):
    """One cost hook and one export, empty at first, for one test.

    :param hook: the hook under test.
    :param export: what it is asked for.
    """

    #: Whose errors come, whose bills the export has, and how this cloud corrects them.
    cloud: ClassVar[str]
    bill_cloud: ClassVar[str]
    style: ClassVar[CorrectionStyle] = CorrectionStyle.REPLACE
    #: The formats that the cloud writes, of which a test publishes each.
    formats: ClassVar[tuple[FileFormat, ...]] = tuple(FileFormat)

    hook: Cost
    export: str

    def capability(self, capability: type[P]) -> P:
        """The hook, as one with this capability."""
        if not isinstance(self.hook, capability):
            raise TypeError(f"{type(self.hook)} has no {capability.__name__}")
        return self.hook

    @abstractmethod
    def publish(
        self,
        bill: Bill,
        *,
        files: FileOptions = FileOptions(),
        complete: bool = True,
        exported_at: datetime | None = None,
    ) -> Published:
        """Deliver a version of a bill as the cloud does, after those delivered before.

        In styles that append, only what the bill's last restatement added.

        :param complete: ``False`` stops before what the cloud writes last.
        """

    @abstractmethod
    def sibling(self) -> CostRig:
        """Another export in the same place, whose name begins with this one's."""

    @abstractmethod
    def missing_exports(self) -> Sequence[str]:
        """Exports in a bucket, container, dataset or table that is not there."""

    def damage(self, published: Published, damage: Damage) -> None:
        """Spoil what was published; fails where the cloud's exports have no such thing."""
        pytest.fail(f"{type(self).__name__} can't have a {damage}: {published}")

    def while_fetching(self, action: Callable[[], object]) -> AbstractContextManager[None]:
        """Run ``action`` in the middle of the next fetch, after its first file arrived."""
        pytest.fail(f"{type(self).__name__} can't run {action} while a period is fetched")

    def seed_costs(self, rows: Sequence[CostQueryRow], *, page: int) -> None:
        """Have the API answer with these rows (grouped by ServiceName), so many a page."""
        pytest.fail(f"{type(self).__name__} can't answer {len(rows)} rows, {page} a page")

    def seed_forecast(self, forecast: ApiForecast | None) -> None:
        """Have the API forecast this; ``None``: too little history."""
        pytest.fail(f"{type(self).__name__} can't forecast {forecast}")

    def seed_recommendations(
        self, found: Sequence[Recommendation], unavailable: Mapping[str, str]
    ) -> None:
        """Have the sources say this, and those that are unavailable refuse."""
        pytest.fail(f"{type(self).__name__} can't recommend {found} without {unavailable}")

    def seed_prices(self, prices: Sequence[ListPrice]) -> None:
        """Have the price list hold these."""
        pytest.fail(f"{type(self).__name__} can't list {prices}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRigSpec:
    """How to get at one rig.

    :param name: shown in the tests' ids; no hyphen.
    :param open: gives a new rig with an empty export, starting what it needs.
    :param answers: the optional capabilities of the hook that the rig can seed; the others
        are tested elsewhere, against what ``unanswered`` says.
    :param gaps: a test's name (``test_x``, or ``test_x[id]`` for one of its parameters) → why
        it must fail here; it is a strict xfail.
    """

    name: str
    cloud: str
    hook: type
    open: Callable[[pytest.FixtureRequest], CostRig]
    answers: tuple[type, ...] = ()
    unanswered: Mapping[type, str] = field(default_factory=lambda: MappingProxyType({}))
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def cost_capabilities_of(hook: type) -> tuple[type, ...]:
    """The optional capabilities of a cost hook."""
    return tuple(capability for capability in COST_CAPABILITIES if has_capability(hook, capability))


def parametrize_cost_rigs(metafunc: pytest.Metafunc, specs: Sequence[CostRigSpec]) -> None:
    """Run a test that takes ``cost_rig`` on every rig that can answer what its class needs."""
    parametrize(
        metafunc, "cost_rig", specs, able=lambda spec, needs: set(needs) <= set(spec.answers)
    )


@pytest.fixture
def cost_rig(request: pytest.FixtureRequest) -> CostRig:
    """One hook and an empty export; import it into your ``conftest.py``."""
    spec: CostRigSpec = request.param
    apply_gaps(request, spec)
    return spec.open(request)
