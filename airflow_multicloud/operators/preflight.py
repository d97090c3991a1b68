"""Ask the clouds whether later tasks will be allowed what they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_multicloud.core.preflight.report import OnUnknown, PreflightReport
from airflow_multicloud.documents import to_document
from airflow_multicloud.opening.permissions import check_operations_allowed
from airflow_multicloud.operators.base import CloudOperator, Outcome, failure_of
from airflow_multicloud.ports.identity import Decision

if TYPE_CHECKING:
    from airflow.sdk import Context

#: Rows that XCom gets; what is in the way comes first, and the counts are of all.
_MOST_ROWS = 500


class PreflightOperator(CloudOperator):
    """Fail before any work when something that later tasks need is not allowed.

    Each connection's cloud is asked; nothing is changed by it. Returns the counts and a row for
    each permission, the denied ones first; they are in XCom under ``report`` also when the task
    fails.

    :param operations: what the later tasks do: mappings of one operation and its parameters, which
        are those of its operator: ``[{"replicate": {"source": …, "destinations": […]}}]``.
    :param on_unknown: ``fail`` or ``warn``: what it means when a cloud can't say whether
        something is allowed.
    """

    template_fields: Sequence[str] = ("operations", "on_unknown")
    report_key: ClassVar[str | None] = "report"

    def __init__(
        self,
        *,
        operations: Sequence[Mapping[str, Mapping[str, Any]]],
        on_unknown: str = OnUnknown.FAIL,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.operations = operations
        self.on_unknown = on_unknown
        if "{" not in on_unknown:  # What is no template can be refused already.
            OnUnknown.parse(on_unknown)

    def perform(self, context: Context) -> Outcome:  # Airflow's signature
        """Ask."""
        report = check_operations_allowed(
            self.operations, on_unknown=OnUnknown.parse(self.on_unknown)
        )
        for one in report.permissions:
            if one.decision is Decision.ALLOW:
                continue
            tell = self.log.error if one in report.in_the_way else self.log.warning
            tell(
                "%s: %s on %s: %s (%s)%s",
                *(one.conn_id, one.permission, one.resource, one.decision, one.reason),
                f"; without it, {one.without}" if one.without else "",
            )
        self.log.info(
            "%d permissions allowed, %d denied, %d not known",
            *(report.allowed, report.denied, report.unknown),
        )
        return Outcome(_facts(report), failure_of(report.raise_if_failed))


def _facts(report: PreflightReport) -> dict[str, Any]:
    """The report, bounded."""
    facts = to_document(report)
    return {**facts, "permissions": facts["permissions"][:_MOST_ROWS]}
