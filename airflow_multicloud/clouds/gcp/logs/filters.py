"""What is asked of Cloud Logging, in its query language.

https://cloud.google.com/logging/docs/view/logging-query-language: comparisons take upper for lower
case, ``:`` finds a part of a text, ``field:*`` is true where the field is there. A filter lets
through all that a query asks for, and may let through more: what is read is looked at again.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Final

from airflow_multicloud.clouds.gcp.logs.limits import QUERY
from airflow_multicloud.ports.logs import LogQuery, Severity

#: Characters and pieces of a searched text that are asked for; more would narrow it no further.
_TEXT: Final = QUERY // 10
_PIECES: Final = 10

#: Google has no level for TRACE, and has DEFAULT where none was given, which is INFO here: what is
#: asked for from DEBUG on may be any.
_SEVERITIES: Final = {
    Severity.INFO: "(severity>=INFO OR severity=DEFAULT)",
    Severity.WARN: "severity>=WARNING",
    Severity.ERROR: "severity>=ERROR",
    Severity.FATAL: "severity>=CRITICAL",
}

#: The label of a correlation id that is no id of a trace.
CORRELATION_LABEL: Final = "multicloud_correlation_id"


def filter_of(query: LogQuery, *, log_name: str) -> str:
    """The filter of a query.

    :param log_name: the log's resource name.
    """
    terms = [
        f"logName={_quoted(log_name)}",
        f"timestamp>={_quoted(_moment(query.since))}",
        f"timestamp<{_quoted(_moment(query.until))}",
    ]
    if query.severity in _SEVERITIES:
        terms.append(_SEVERITIES[query.severity])
    if query.correlation_id is not None:
        ids = _pieces(query.correlation_id)
        terms += [f"(trace:{part} OR labels.{CORRELATION_LABEL}:{part})" for part in ids]
    if query.text is not None and (parts := _pieces(query.text)):
        found = " AND ".join(f"textPayload:{part}" for part in parts)
        # What has no text, as structured entries of other writers, is searched when it is read.
        terms.append(f"(({found}) OR NOT textPayload:*)")
    return " AND ".join(terms)


def _pieces(text: str) -> list[str]:
    """Parts of a text, each quoted, that stand in whatever the text stands in.

    Google does not say how characters that do not show are written, so the text is parted at them;
    nor that spaces at the ends of a value are kept.
    """
    found: list[str] = []
    for shows, characters in itertools.groupby(text[:_TEXT], str.isprintable):
        if shows and (piece := "".join(characters).strip()):
            found.append(_quoted(piece))
    return found[:_PIECES]


def _quoted(text: str) -> str:
    """A value that ends where it is meant to."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _moment(moment: datetime) -> str:
    """A time after RFC 3339."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
