"""Measurements held against what is expected: of the check itself, or of a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from airflow_multicloud.core.database.baselines import Baseline
from airflow_multicloud.core.database.checks import BASELINE, TableCheck
from airflow_multicloud.core.database.measuring import Measured, MeasuredTable
from airflow_multicloud.core.database.verification import CheckOutcome, CheckResult
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.text import printable

#: How much later than the restored moment a time may be: some clouds tell when a snapshot was begun
#: and not when it was done, and clocks differ.
_SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """What checks are held against besides themselves.

    :param baseline: what was measured before.
    :param restored_moment: that ages are counted from; now for ``None``.
    :param recording: whether ``"baseline"`` without a baseline only records.
    """

    baseline: Baseline | None = None
    restored_moment: datetime | None = None
    recording: bool = False


@dataclass(frozen=True, slots=True)
class _Judged:
    """Whether it is as it must be, and what that was."""

    passed: bool
    expected: str
    why: str | None = None


def compared(measured: Measured, against: Expectations) -> Iterator[CheckResult]:
    """What comes of every expectation of a check: exactly one result for each."""
    for name in measured.check.expectations:
        yield _result(name, measured, against)


def _result(name: str, measured: Measured, against: Expectations) -> CheckResult:
    check, table, err = measured.check, measured.table, measured.error
    if table is None:
        return CheckResult(
            table=check.name,
            check=name,
            outcome=CheckOutcome.ERROR,
            why=None if err is None else printable(str(err)),
            error_kind=None if err is None else err.kind,
        )
    seen = CheckResult(
        table=check.name,
        check=name,
        outcome=CheckOutcome.RECORDED,
        measured=_SHOWN[name](table),
    )
    if _of_baseline(check, name) and against.baseline is None and against.recording:
        return seen
    before = None if against.baseline is None else against.baseline.of(check)
    why = _why_not_comparable(name, check, table, before)
    if why is not None:
        kind = ErrorKind.INVALID_ARGUMENT
        return replace(seen, outcome=CheckOutcome.ERROR, why=why, error_kind=kind)
    judged = _JUDGE[name](check, table, before, against.restored_moment)
    outcome = CheckOutcome.PASSED if judged.passed else CheckOutcome.FAILED
    return replace(seen, outcome=outcome, expected=judged.expected, why=judged.why)


def _of_baseline(check: TableCheck, name: str) -> bool:
    return bool(getattr(check, name) == BASELINE)


def _why_not_comparable(
    name: str, check: TableCheck, table: MeasuredTable, before: MeasuredTable | None
) -> str | None:
    """Why what is expected of it is not there, or of another kind."""
    if _of_baseline(check, name):
        why = "the baseline does not have this table"
        why_not = why if before is None else _why_not_in(before, name, check)
        if why_not is not None:
            return why_not
    if name == "checksum":
        ours, theirs = str(table.checksum), _expected_checksum(check, before)
        if _algorithm(ours) != _algorithm(theirs):
            return f"{_algorithm(theirs)} can't be compared with {_algorithm(ours)}"
    return None


def _why_not_in(before: MeasuredTable, name: str, check: TableCheck) -> str | None:
    """Why a baseline's table says nothing of this."""
    if name == "checksum" and before.checksum is None:
        return "the baseline has no checksum of this table"
    if name == "checksum" and before.columns != check.columns:
        return "the baseline's checksum is of other columns"
    if name == "newest_at_least" and before.newest_column != check.newest:
        return "the baseline has no newest time of this column"
    if name == "newest_at_least" and before.newest is None:
        return "the baseline's table had no time in this column"
    return None


def _rows(
    check: TableCheck, table: MeasuredTable, before: MeasuredTable | None, _at: datetime | None
) -> _Judged:
    wanted = check.rows if isinstance(check.rows, int) else 0 if before is None else before.rows
    slack = int(wanted * check.rows_tolerance)
    about = "" if not slack else f" ± {slack}"
    return _Judged(abs(table.rows - wanted) <= slack, f"{wanted}{about}")


def _at_least_rows(
    check: TableCheck, table: MeasuredTable, _before: MeasuredTable | None, _at: datetime | None
) -> _Judged:
    least = check.at_least_rows or 0
    return _Judged(table.rows >= least, f"at least {least}")


def _checksum(
    check: TableCheck, table: MeasuredTable, before: MeasuredTable | None, _at: datetime | None
) -> _Judged:
    wanted = _expected_checksum(check, before)
    return _Judged(table.checksum == wanted, wanted)


def _newest_at_least(
    check: TableCheck, table: MeasuredTable, before: MeasuredTable | None, at: datetime | None
) -> _Judged:
    given = check.newest_at_least
    least = given if isinstance(given, datetime) else None if before is None else before.newest
    return _not_after(_not_before(table, least), table, at)


def _max_age(
    check: TableCheck, table: MeasuredTable, _before: MeasuredTable | None, at: datetime | None
) -> _Judged:
    since = at or datetime.now(UTC)
    judged = _not_before(table, since - (check.max_age or timedelta()))
    of = "the restored moment" if at else "now"
    told = _Judged(judged.passed, f"{judged.expected}, {check.max_age} before {of}", judged.why)
    return _not_after(told, table, at)


def _not_before(table: MeasuredTable, least: datetime | None) -> _Judged:
    if least is None or table.newest is None:
        expected = "a time" if least is None else f"{least.isoformat()} or later"
        return _Judged(False, expected, "there is no time in this column")
    return _Judged(table.newest >= least, f"{least.isoformat()} or later")


def _not_after(judged: _Judged, table: MeasuredTable, at: datetime | None) -> _Judged:
    """Refuse a time that can't be: no other check of the newest one could fail after it."""
    latest = (at or datetime.now(UTC)) + _SLACK
    if table.newest is None or table.newest <= latest:
        return judged
    of = "the restored moment" if at else "now"
    expected = f"{judged.expected}, and not after {of}"
    return _Judged(False, expected, f"the newest time in this column is after {of}")


def _expected_checksum(check: TableCheck, before: MeasuredTable | None) -> str:
    of_baseline = _of_baseline(check, "checksum") and before is not None
    return str(before.checksum if of_baseline and before is not None else check.checksum)


def _algorithm(checksum: str) -> str:
    return checksum.partition(":")[0]


def _newest(table: MeasuredTable) -> str | None:
    return None if table.newest is None else table.newest.isoformat()


_JUDGE: dict[
    str,
    Callable[[TableCheck, MeasuredTable, MeasuredTable | None, datetime | None], _Judged],
] = {
    "rows": _rows,
    "at_least_rows": _at_least_rows,
    "checksum": _checksum,
    "newest_at_least": _newest_at_least,
    "max_age": _max_age,
}

_SHOWN: dict[str, Callable[[MeasuredTable], str | None]] = {
    "rows": lambda table: str(table.rows),
    "at_least_rows": lambda table: str(table.rows),
    "checksum": lambda table: table.checksum,
    "newest_at_least": _newest,
    "max_age": _newest,
}
