"""From a service's error codes to kinds, as data: a base table per cloud, an overlay per service.

One code may mean different things in two services of a cloud (AWS's ``LimitExceededException``
is throttling in Cost Explorer and a quota in Secrets Manager), so each service has a table of its
own, which begins with its cloud's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import MappingProxyType

from airflow_multicloud.adapters.answers import http_date, kind_of_status
from airflow_multicloud.errors import ErrorKind

#: No service asks for more in earnest: a longer wait is a broken clock, or a forger's.
_LONGEST_WAIT = timedelta(days=1)


def by_code(codes: Mapping[ErrorKind, str]) -> Mapping[str, ErrorKind]:
    """Kind → codes, separated by spaces, turned round.

    :raises ValueError: when a code is given two kinds.
    """
    kinds: dict[str, ErrorKind] = {}
    for kind, listed in codes.items():
        for code in listed.split():
            if kinds.setdefault(code, kind) is not kind:
                raise ValueError(f"error code {code}: given both {kinds[code]} and {kind}")
    return MappingProxyType(kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTable:
    """What the error codes of one service mean.

    :param codes: error code → kind.
    :param suffixes: how a code ends → kind, for clouds whose codes follow a pattern
        (``.NotFound`` for ``InvalidInstanceID.NotFound``); the longest that fits counts. They
        lose to a status of 429 or 5xx: ``QpsLimitExceeded`` with 503 is no quota.
    :param statuses: HTTP status → kind, for codes that are not in the table.
    """

    codes: Mapping[str, ErrorKind]
    suffixes: Mapping[str, ErrorKind] = field(default_factory=dict)
    statuses: Mapping[int, ErrorKind] = field(default_factory=dict)

    def overlay(
        self,
        codes: Mapping[str, ErrorKind],
        *,
        suffixes: Mapping[str, ErrorKind] = MappingProxyType({}),
        statuses: Mapping[int, ErrorKind] = MappingProxyType({}),
    ) -> ErrorTable:
        """This table with another on top, whose entries replace its own."""
        return ErrorTable(
            codes={**self.codes, **codes},
            suffixes={**self.suffixes, **suffixes},
            statuses={**self.statuses, **statuses},
        )

    def kind_of_code(self, code: str | None) -> ErrorKind | None:
        """What a code means; ``None`` when the table does not know it."""
        if not code:
            return None
        if (kind := self.codes.get(code)) is not None:
            return kind
        fitting = [suffix for suffix in self.suffixes if code.endswith(suffix)]
        return self.suffixes[max(fitting, key=len)] if fitting else None

    def kind_of(self, code: str | None, status: int | None = None) -> ErrorKind | None:
        """What an answer means: by its code, else by its status; ``None`` when it has neither."""
        later = status is not None and (
            status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
        known = self.codes.get(code or "") if later else self.kind_of_code(code)
        if known is not None:
            return known
        if not status:
            return None
        return self.statuses.get(status) or kind_of_status(status)


def retry_after_of(headers: Mapping[str, str]) -> timedelta | None:
    """How long an answer asks to wait (``Retry-After``, RFC 9110), if it can be read.

    :param headers: with names of any case.
    """
    text = next((v for name, v in headers.items() if name.lower() == "retry-after"), None)
    if not text:
        return None
    try:
        wait = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        try:
            wait = http_date(text) - datetime.now(UTC)
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(wait, timedelta()), _LONGEST_WAIT)
