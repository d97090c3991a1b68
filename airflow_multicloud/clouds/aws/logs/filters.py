r"""Filter patterns, which spare the reading of events that a query can't mean.

A pattern here lets through all that fits and more: what it lets through is looked at again. So it
has only what is beyond doubt: equality of severities and correlation ids, and a run of letters and
digits of the text as a regular expression, which is searched for anywhere (plain terms may be
matched as words). Nothing that somebody gave is part of a pattern unless it is letters, digits,
``_`` or ``-``.

"Filter pattern syntax" in the Amazon CloudWatch Logs User Guide
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).
"""

from __future__ import annotations

import re

from airflow_multicloud.clouds.aws.logs.converting import CORRELATION, MESSAGE, SEVERITY
from airflow_multicloud.clouds.aws.logs.limits import LONGEST_PATTERN
from airflow_multicloud.ports.logs import LogQuery, Severity

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
# With an end: what is left of the pattern's length is for severities.
_RUN = re.compile(r"[A-Za-z0-9_]{2,200}", re.ASCII)


def pattern_of(query: LogQuery) -> str:
    """The pattern of a query; empty when CloudWatch Logs can't spare anything."""
    conditions = [*_severities(query.severity), *_correlation(query.correlation_id)]
    run = max(_RUN.findall(query.text or ""), key=len, default="")
    if not conditions:
        # Also events that are no JSON.
        return f"%{run}%" if run else ""
    if run:
        conditions.append(f"($.{MESSAGE} = %{run}%)")
    pattern = f"{{ {' && '.join(conditions)} }}"
    return pattern if len(pattern) <= LONGEST_PATTERN else ""


def _severities(least: Severity | None) -> list[str]:
    # What others wrote counts as INFO, and is not to be found by a severity in it.
    if least is None or least.rank <= Severity.INFO.rank:
        return []
    wanted = [f'($.{SEVERITY} = "{one}")' for one in Severity if one.rank >= least.rank]
    return [f"({' || '.join(wanted)})"]


def _correlation(wanted: str | None) -> list[str]:
    if wanted is None or not _PLAIN.fullmatch(wanted):
        return []
    return [f'($.{CORRELATION} = "{wanted}")']
