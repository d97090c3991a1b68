"""Exchange rates newer than the installed ones: fetched, checked, kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from airflow_multicloud.core.cost.download import download, is_url, shown_url
from airflow_multicloud.core.cost.fx.rates_file import MAX_BYTES, EuroRates, parse_rates
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.opening.cost.files import check_place, find_place, read_place, write_place

#: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/
ECB_URL = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshedRates:
    """What a refresh did.

    :param uri: where the file is.
    :param first_day: of the rates.
    :param last_day: of the rates.
    :param new_days: that the file there did not have.
    :param currencies: in the newest rates.
    """

    uri: str
    first_day: date
    last_day: date
    new_days: int
    currencies: tuple[str, ...]


@operation("cost.refresh_rates")
def refresh_exchange_rates(target: str | Path, *, source: str = ECB_URL) -> RefreshedRates:
    """Fetch the European Central Bank's rates, and put the file in place, whole or not at all.

    It is read before it is written: a file that is not the bank's, or that lacks a day or a rate of
    the one that is there, is refused, and what is there stays.

    :param target: a file's path or an object's URI; give it to questions as ``rates_file``.
    :param source: an https URL; or the path or URI of a file that was brought by other means.
    :raises CloudError: naming the file, and the line that can't be read.
    """
    check_place("target", target)
    content = (
        download("source", source, MAX_BYTES)
        if is_url(source)
        else read_place("source", source, MAX_BYTES)
    )
    name = shown_url(source) if is_url(source) else source
    new = parse_rates(content, name)
    before = find_place("target", target, MAX_BYTES)
    old = None if before is None else parse_rates(before, str(target))
    _check(new, old, name)
    return RefreshedRates(
        uri=str(target) if before == content else write_place("target", target, content),
        first_day=min(new.days),
        last_day=new.last_day,
        new_days=len(new.days.keys() - (old.days.keys() if old else set())),
        currencies=tuple(sorted(new.days[new.last_day])),
    )


def _check(new: EuroRates, old: EuroRates | None, source: str) -> None:
    if new.last_day > datetime.now(UTC).date() + timedelta(days=1):
        raise _suspicious(source, f"it has rates of {new.last_day}, which is to come")
    for day, rates in old.days.items() if old else ():
        if day not in new.days:
            raise _suspicious(source, f"it lacks {day}, which the file there has")
        gone = sorted(rates.keys() - new.days[day].keys())
        if gone:
            raise _suspicious(source, f"it lacks the rate of {gone[0]} on {day}")


def _suspicious(source: str, why: str) -> CostAnalysisError:
    return CostAnalysisError(
        f"source {source} is not used: {why}; if that is right, delete the file there first",
        kind=ErrorKind.INTEGRITY,
    )
