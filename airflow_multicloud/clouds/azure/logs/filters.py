"""From a query of the port to one in Kusto's query language, in which nothing else is said.

Names come from the connection, which is checked; all that anybody wrote is in literals.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_multicloud.clouds.azure.kql import literal, moment
from airflow_multicloud.ports.logs import LogQuery, Severity

_READ = "TimeGenerated, InsertId, Message, SeverityText, CorrelationId, AttributesText"
# All of it, so that the order is the same each time: rows that are equal in all may change places.
_ORDER = ", ".join(f"{name} asc" for name in _READ.split(", "))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: at a time, of which some rows have been read.

    :param seen: how many.
    """

    time: datetime
    seen: int = 0


def kusto_of(query: LogQuery, table: str, log: str, place: Place, rows: int) -> str:
    """The query for a page.

    :param table: whose name is known to be one.
    :param rows: how many after those that have been read.
    """
    steps = [
        table,
        f"where TimeGenerated >= {moment(place.time)} and TimeGenerated < {moment(query.until)}",
        f"where LogName == {literal(log)}",
    ]
    if query.text:
        steps.append(f"where Message contains_cs {literal(query.text)}")
    # What is left out is named, not what is wanted: other writers may have words of their own.
    below = [one for one in Severity if query.severity and one.rank < query.severity.rank]
    if query.severity and query.severity.rank > Severity.INFO.rank:
        wanted = [one for one in Severity if one not in below]
        steps.append(f"where SeverityText in ({_literals(wanted)})")
    elif below:
        steps.append(f"where SeverityText !in ({_literals(below)})")
    if query.correlation_id is not None:
        steps.append(f"where CorrelationId == {literal(query.correlation_id)}")
    steps += [
        "extend AttributesText = tostring(Attributes)",
        f"project {_READ}",
        f"order by {_ORDER}",
        f"take {place.seen + rows}",
    ]
    return "\n| ".join(steps)


def _literals(severities: list[Severity]) -> str:
    return ", ".join(literal(one.value) for one in severities)
