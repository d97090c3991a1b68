"""One instance as it is now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.errors import failure, translated
from airflow_multicloud.clouds.gcp.database.fields import (
    Place,
    instance_of,
    moment_of,
    place_of,
    primary_of,
    settings_of,
    state_of,
)
from airflow_multicloud.clouds.gcp.database.lag import Lags
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import DatabaseInstance, DatabaseRef, DatabaseState

#: What Cloud SQL may say of an instance that has no log to restore from yet.
_NO_WINDOW: Final = frozenset(
    {
        ErrorKind.NOT_FOUND,
        ErrorKind.PRECONDITION_FAILED,
        ErrorKind.INVALID_ARGUMENT,
        ErrorKind.BUSY,
    }
)


class Descriptions(Lags):
    """The port's ``describe_database``, and what the other verbs look at before they order."""

    def describe_database(self, ref: DatabaseRef) -> DatabaseInstance:
        """The instance as it is now; see the port.

        Its endpoint is its private address where it has one.
        """
        place = self._database_place(ref)
        item = self._described(place, ref.region)
        with well_formed(f"describing {place.id}", NAME, area=DatabaseError):
            found = instance_of(item)
        earliest, latest = self._window(place, item)
        return replace(
            found,
            lag=self._lag(place) if found.replica_of is not None else None,
            restorable_from=earliest,
            restorable_until=latest,
        )

    def _database_place(self, ref: DatabaseRef) -> Place:
        return place_of(ref, home=None if "/" in ref.id else self._home())

    def _described(self, place: Place, region: str | None = None) -> dict[str, Any]:
        """What Cloud SQL says of an instance.

        :param region: in which it must be.
        :raises DatabaseError: ``not_found``.
        """
        doing = f"describing {place.id}"
        with translated(doing):
            item = self._admin.ask("GET", place.path)
        with well_formed(doing, NAME, area=DatabaseError):
            where, named = item["region"], item["name"]
        if named != place.name or region not in (None, where):
            raise failure(
                f"{doing}: there is none in {region}; the one of this name is in {where}",
                ErrorKind.NOT_FOUND,
            )
        return item

    def _described_or_none(self, place: Place) -> dict[str, Any] | None:
        """The same; ``None`` when there is no instance of this name."""
        try:
            return self._described(place)
        except DatabaseError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            return None

    def _window(
        self, place: Place, item: dict[str, Any]
    ) -> tuple[datetime, datetime] | tuple[None, None]:
        """The first and the last moment that an instance can be restored to, if there are any."""
        backups = settings_of(item).get("backupConfiguration") or {}
        # MySQL's name for its log is another.
        kept = backups.get("pointInTimeRecoveryEnabled") or backups.get("binaryLogEnabled")
        if not kept or primary_of(item) or state_of(item) is DatabaseState.CREATING:
            return None, None
        doing = f"asking which moments {place.id} can be restored to"
        try:
            with translated(doing):
                told = self._admin.ask("GET", f"{place.path}/getLatestRecoveryTime")
        except DatabaseError as err:
            if err.kind not in _NO_WINDOW:
                raise
            return None, None
        with well_formed(doing, NAME, area=DatabaseError):
            earliest = moment_of(told.get("earliestRecoveryTime"))
            latest = moment_of(told.get("latestRecoveryTime"))
        return (None, None) if earliest is None or latest is None else (earliest, latest)
