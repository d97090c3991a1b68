"""What came of asking whether operations will be allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision
from airflow_multicloud.text import given_text

_NAMED = 3
#: What stays in the way until somebody changes the connection, the URI or what they name; that a
#: cloud can't tell is something else.
_CERTAIN = frozenset({ErrorKind.NOT_FOUND, ErrorKind.UNAUTHENTICATED, ErrorKind.INVALID_ARGUMENT})


class OnUnknown(StrEnum):
    """What it means when a cloud can't say whether something is allowed."""

    FAIL = "fail"
    WARN = "warn"

    @classmethod
    def parse(cls, given: str) -> OnUnknown:
        """The member of this value.

        :raises CredentialsError: kind ``invalid_argument``, naming ``on_unknown``.
        """
        if given not in tuple(cls):
            raise CredentialsError(
                f"on_unknown: {given_text(given)} given, expected 'fail' or 'warn'",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return cls(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPermission:
    """One permission on one resource, and what its cloud says of it.

    :param condition: under which alone it is needed, ``key = value``; several are joined by
        ``and``, and none is empty.
    :param calls: that need it.
    :param operations: whose calls they are: ``replicate: source``.
    :param without: what is lost without it, where the operations do without.
    :param kind: of the error for which nothing is known, where there was one.
    """

    cloud: str
    conn_id: str
    permission: str
    resource: str
    decision: Decision
    reason: str
    calls: tuple[str, ...]
    operations: tuple[str, ...]
    condition: str = ""
    without: str = ""
    kind: ErrorKind | None = None

    @property
    def needed(self) -> bool:
        """Whether the operations fail without it."""
        return not self.without

    @property
    def certain(self) -> bool:
        """Whether it will not be allowed: it is denied, or nothing can be asked like this."""
        return self.decision is Decision.DENY or (
            self.decision is Decision.UNKNOWN and self.kind in _CERTAIN
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightReport(Documented):
    """All permissions that operations need.

    :param permissions: the denied ones first, then those that are not known.
    """

    permissions: tuple[CheckedPermission, ...]
    on_unknown: OnUnknown = OnUnknown.FAIL

    DOCUMENT: ClassVar = Document(
        ("passed", "allowed", "denied", "unknown", "on_unknown", "permissions")
    )

    def count(self, decision: Decision) -> int:
        """How many permissions are of a decision."""
        return sum(one.decision is decision for one in self.permissions)

    @property
    def allowed(self) -> int:
        """How many are allowed."""
        return self.count(Decision.ALLOW)

    @property
    def denied(self) -> int:
        """How many are denied, those that are not needed too."""
        return self.count(Decision.DENY)

    @property
    def unknown(self) -> int:
        """Of how many nothing is known."""
        return self.count(Decision.UNKNOWN)

    @property
    def in_the_way(self) -> tuple[CheckedPermission, ...]:
        """What the operations would fail by."""
        warned = self.on_unknown is OnUnknown.WARN
        return tuple(
            one
            for one in self.permissions
            if one.needed and (one.certain or (one.decision is Decision.UNKNOWN and not warned))
        )

    @property
    def passed(self) -> bool:
        """Whether nothing is in the way; a report of nothing has shown nothing."""
        return bool(self.permissions) and not self.in_the_way

    def raise_if_failed(self) -> None:
        """Refuse to go on.

        :raises PreflightFailedError: when something is in the way; retryable when that is only that
            clouds could not be asked for now.
        """
        if self.passed:
            return
        named = self.in_the_way[:_NAMED]
        told = "; ".join(
            f"{one.conn_id}: {one.permission} on {one.resource}: {one.decision} ({one.reason})"
            for one in named
        )
        more = len(self.in_the_way) - len(named)
        raise PreflightFailedError(
            f"preflight: {told or 'nothing was checked'}{f'; and {more} more' if more else ''}",
            report=self,
            kind=_kind_of(self.in_the_way),
        )


class PreflightFailedError(CredentialsError):
    """What is to be done will not be allowed, or it is not known whether; the report says what."""

    def __init__(
        self,
        message: str,
        *,
        report: PreflightReport,
        kind: ErrorKind = ErrorKind.PERMISSION_DENIED,
    ) -> None:
        super().__init__(message, kind=kind)
        self.report = report


def _kind_of(in_the_way: Sequence[CheckedPermission]) -> ErrorKind:
    """That of an outage, when outages are all there is: it may be over at the next try."""
    kinds = [one.kind for one in in_the_way if one.decision is Decision.UNKNOWN]
    outages = [kind for kind in kinds if kind is not None and kind.is_outage]
    if outages and len(outages) == len(in_the_way):
        return outages[0]
    return ErrorKind.PERMISSION_DENIED


_ORDER = {Decision.DENY: 0, Decision.UNKNOWN: 1, Decision.ALLOW: 2}


def report_of(
    permissions: Iterable[CheckedPermission], on_unknown: OnUnknown = OnUnknown.FAIL
) -> PreflightReport:
    """A report in its order."""
    ordered = sorted(
        permissions, key=lambda one: (_ORDER[one.decision], not one.needed, not one.certain)
    )
    return PreflightReport(permissions=tuple(ordered), on_unknown=on_unknown)
