"""Snapshots from their kept form, which may have been damaged or written by somebody else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from airflow_multicloud.core.cost.store.names import checked_name, digest_in
from airflow_multicloud.core.cost.store.places import damaged
from airflow_multicloud.core.cost.store.snapshot import (
    FORMAT,
    YEARS,
    Batch,
    Day,
    Period,
    Snapshot,
    Totals,
)
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import CorrectionStyle

T = TypeVar("T")

# What reading a document of another shape raises; decimals raise arithmetic errors.
_SHAPE = (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError)
_LARGEST = Decimal(10) ** 28
_SUMS = 4


def snapshot_of(text: bytes, name: str, place: str) -> Snapshot:
    """The snapshot in a file.

    :param name: the file's.
    :param place: the store's, for messages.
    :raises CostAnalysisError: kind ``unsupported`` when another version of this package wrote
        it; kind ``integrity`` when it is damaged or is not what its name says.
    """
    where = f"cost store {place}: snapshot {name}"
    try:
        doc = json.loads(text)
        written = _of(int, doc["format"])
    except _SHAPE as err:
        raise _unreadable(where, err) from err
    if not 1 <= written <= FORMAT:
        todo = (
            "update airflow-multicloud here to the version that wrote it"
            if written > FORMAT
            else "ingest the exports into a new store, or use the version that wrote it"
        )
        raise CostAnalysisError(
            f"{where} has format {written}, this version of airflow-multicloud reads up to format "
            f"{FORMAT}: {todo}",
            kind=ErrorKind.UNSUPPORTED,
        )
    if digest_in(name) not in {None, hashlib.sha256(text).hexdigest()}:
        raise damaged(where)
    try:
        periods = tuple(_period(p, where) for p in _of(list, doc["periods"]))
        if len({period.key for period in periods}) < len(periods):
            raise ValueError("a billing period is in it twice")
        log = doc["restatements"]
        return Snapshot(
            sequence=_count(doc["sequence"]),
            periods=periods,
            restatements=None if log is None else checked_name(log, where, folder="restatements/"),
        )
    except _SHAPE as err:
        raise _unreadable(where, err) from err


def _unreadable(where: str, err: Exception) -> CostAnalysisError:
    said = f"{type(err).__name__}: {str(err)[:200]}"
    return CostAnalysisError(f"{where} can't be read: {said}", kind=ErrorKind.INTEGRITY)


def _period(doc: Mapping[str, Any], where: str) -> Period:
    batches = tuple(_batch(b, where) for b in _of(list, doc["batches"]))
    if not batches:
        raise ValueError("a billing period has no version")
    month = _date(doc["billing_period"])
    if month.day != 1:
        raise ValueError(f"billing period {month} does not begin a month")
    return Period(
        cloud=_of(str, doc["cloud"]),
        export=_of(str, doc["export"]),
        billing_period=month,
        style=CorrectionStyle(doc["style"]),
        batches=batches,
        rollup=None
        if doc["rollup"] is None
        else checked_name(doc["rollup"], where, folder="rollup/"),
    )


def _batch(doc: Mapping[str, Any], where: str) -> Batch:
    scope = doc.get("scope")
    if scope is not None:
        first, last = map(_date, _of(list, scope))
        scope = (first, last)
    return Batch(
        version=_of(str, doc["version"]),
        exported_at=_moment(doc["exported_at"]),
        ingested_at=_moment(doc["ingested_at"]),
        raw=_names(doc["raw"], where, "raw/"),
        days=tuple(_day(d, where) for d in _of(list, doc["days"])),
        scope=scope,
        invoices=_of(bool, doc.get("invoices", True)),
    )


def _day(doc: Mapping[str, Any], where: str) -> Day:
    return Day(
        day=_date(doc["day"]),
        content=_of(str, doc["content"]),
        files=_names(doc["files"], where, "focus/"),
        rows=_count(doc["rows"]),
        uninvoiced=_count(doc["uninvoiced"]),
        totals=_totals(doc["totals"]),
        # Snapshots of before these columns were kept do not say; their files have none.
        later=tuple(_of(str, name) for name in _of(list, doc.get("later", []))),
    )


def _totals(doc: Any) -> Totals:
    totals: Totals = {}
    for currency, sums in _of(dict, doc).items():
        values = tuple(map(_amount, _of(list, sums)))
        if len(values) != _SUMS:
            raise ValueError(f"{len(values)} sums of {currency}")
        totals[currency] = (values[0], values[1], values[2], values[3])
    return totals


def _names(doc: Any, where: str, folder: str) -> tuple[str, ...]:
    return tuple(checked_name(name, where, folder=folder) for name in _of(list, doc))


def _amount(text: Any) -> Decimal:
    amount = Decimal(_of(str, text))
    if not amount.is_finite() or abs(amount) >= _LARGEST:
        raise ValueError(f"{text} is no amount")
    return amount


def _date(text: Any) -> date:
    return _plausible(date.fromisoformat, text)


def _moment(text: Any) -> datetime:
    moment = _plausible(datetime.fromisoformat, text)
    if moment.utcoffset() is None:
        raise ValueError(f"{text} has no offset from UTC")
    return moment


_When = TypeVar("_When", date, datetime)


def _plausible(read: Callable[[str], _When], text: Any) -> _When:
    found = read(_of(str, text))
    if found.year not in YEARS:
        raise ValueError(f"{text} is no day of a bill")
    return found


def _count(value: Any) -> int:
    if _of(int, value) < 0:
        raise ValueError(f"{value} rows")
    return int(value)


def _of(kind: type[T], value: Any) -> T:
    """The value, if it is of exactly this type: JSON's true is no number."""
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value
