"""A gate that closes before the money is spent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, SkipMixin

from airflow_multicloud.api.cost.values import budget_of, choice
from airflow_multicloud.core.cost import documents
from airflow_multicloud.core.cost.budget import BudgetState, ForecastBound, StalePolicy
from airflow_multicloud.links.pages import REPORT_LINKS
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.base import CostOperator, money_of

if TYPE_CHECKING:
    from airflow.sdk import Context

_ON_EXCEEDED = ("skip", "fail")


class BudgetGateOperator(CostOperator, SkipMixin):
    """Let the run go on only while the budget holds.

    Held against the budget: what was billed so far, the forecast for the rest of its period,
    and what this run is estimated to add. Returns the verdict as the report's JSON has it, with
    amounts as texts, unrounded; its ``state`` is ``within``, ``over``, or ``unknown`` when the bill
    is too old or incomplete to tell.

    :param budget: the amount, in ``currency``.
    :param name: how messages call it.
    :param period: ``month``, ``quarter`` or ``year``.
    :param run_estimate: what this run adds, in ``currency``; may be a template over an
        :class:`~airflow_multicloud.operators.cost.transfer.EstimateTransferCostOperator`.
    :param on_exceeded: ``skip`` everything downstream, or ``fail``.
    :param stale: when the bill is too old or lacks a cloud: ``fail_closed`` (as if exceeded),
        ``warn`` or ``ignore``.
    :param max_age: how old the oldest export may be.
    :param bound: hold the ``expected`` forecast against the budget, or its ``upper`` end.
    :param now: the time to judge at, ISO 8601; now by default.
    """

    template_fields: Sequence[str] = (
        *CostOperator.template_fields,
        "budget",
        "run_estimate",
        "now",
    )

    report_key = "verdict"
    operator_extra_links = REPORT_LINKS

    def __init__(
        self,
        *,
        budget: str | int,
        name: str = "budget",
        period: str = "month",
        run_estimate: str | int = "0",
        on_exceeded: str = "skip",
        stale: str = "fail_closed",
        max_age: timedelta = timedelta(hours=48),
        bound: str = "expected",
        now: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if on_exceeded not in _ON_EXCEEDED:
            allowed = ", ".join(_ON_EXCEEDED)
            raise ValueError(f"on_exceeded: {on_exceeded!r} given, expected one of {allowed}")
        self.budget = budget
        self.name = name
        self.period = period
        self.run_estimate = run_estimate
        self.on_exceeded = on_exceeded
        self.stale = stale
        self.max_age = max_age
        self.bound = bound
        self.now = now

    def perform(self, context: Context) -> Outcome:
        """Judge."""
        verdict = self.analyzer().assess_budget(
            budget_of(self.name, money_of("budget", self.budget), self.currency, self.period),
            now=datetime.fromisoformat(self.now) if self.now else datetime.now(UTC),
            run_estimate=money_of("run_estimate", self.run_estimate),
            max_age=self.max_age,
            stale_policy=choice("stale", StalePolicy, self.stale),
            bound=choice("bound", ForecastBound, self.bound),
        )
        for warning in verdict.warnings:
            self.log.warning("%s", warning)
        facts = documents.budget(verdict)
        if verdict.allowed:
            self.log.info("%s holds: %.2f of %s %s", self.name, verdict.projected, self.budget,
                          self.currency)  # fmt: skip
            return Outcome(facts)
        over = verdict.state is BudgetState.OVER
        found = "is exceeded" if over else "can't be judged"
        refused = f"{self.name} {found}: {'; '.join(verdict.reasons)}"
        if self.on_exceeded == "fail":
            return Outcome(facts, AirflowFailException(refused))
        self.log.warning("%s; skipping what is downstream", refused)
        return Outcome(facts)

    def execute(self, context: Context) -> dict[str, Any]:
        """Judge; then skip what is downstream if the run may not go on."""
        facts: dict[str, Any] = super().execute(context)
        if not facts["allowed"]:
            downstream = context["task"].get_flat_relatives(upstream=False)
            self.skip(ti=context["ti"], tasks=list(downstream))
        return facts
