"""One instance as it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.database.errors import failure, translated
from airflow_multicloud.clouds.aws.database.fields import (
    Place,
    instance_of,
    place_of,
    state_of,
    tags_of,
)
from airflow_multicloud.clouds.aws.database.lag import Lags
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseInstance,
    DatabaseRef,
    DatabaseState,
)

T = TypeVar("T")
_CHANGING = frozenset(
    {
        DatabaseState.CREATING,
        DatabaseState.BUSY,
        DatabaseState.STARTING,
        DatabaseState.STOPPING,
        DatabaseState.DELETING,
    }
)


class Descriptions(Lags):
    """The port's ``describe_database``, and what the other verbs look at before they order."""

    def describe_database(self, ref: DatabaseRef) -> DatabaseInstance:
        """The instance as it is now; see the port.

        An instance of a cluster (Aurora, Multi-AZ DB clusters) is ``unsupported``.
        """
        place = self._database_place(ref)
        item = self._described(place)
        with well_formed(f"describing {place.name}", NAME, area=DatabaseError):
            found = instance_of(item, place.region)
            earliest = self._earliest(item, place.region)
        lag = self._lag(found) if found.replica_of is not None else None
        return replace(found, lag=lag, restorable_from=earliest)

    def _database_place(self, ref: DatabaseRef) -> Place:
        home = self._home() if not ref.region and not ref.id.startswith("arn:") else None
        return place_of(ref, kind="db", home=home)

    def _described(self, place: Place) -> dict[str, Any]:
        """What RDS says of an instance.

        :raises DatabaseError: ``not_found``; ``invalid_argument`` for the ARN of another account;
            ``unsupported``.
        """
        doing = f"describing {place.name} in {place.region}"
        try:
            with translated(doing):
                client = self._client_of("rds", place.region)
                answer = client.describe_db_instances(DBInstanceIdentifier=place.name)
        except DatabaseError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                self._check_own(place)
            raise
        with well_formed(doing, NAME, area=DatabaseError):
            (item,) = answer["DBInstances"]
            found, cluster = item["DBInstanceArn"], item.get("DBClusterIdentifier")
        if place.arn not in (None, found):
            self._check_own(place)
            raise failure(
                f"{doing}: there is no {place.arn} in this account, which has {found}",
                ErrorKind.NOT_FOUND,
            )
        if cluster:
            raise failure(
                f"{doing}: it belongs to the cluster {cluster}, and clusters (Aurora, Multi-AZ DB "
                "clusters) are not supported; expected a DB instance of its own",
                ErrorKind.UNSUPPORTED,
            )
        described: dict[str, Any] = item
        return described

    def _described_or_none(self, place: Place) -> dict[str, Any] | None:
        """The same; ``None`` when there is no instance of this name."""
        try:
            return self._described(place)
        except DatabaseError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            return None

    def _earliest(self, item: dict[str, Any], region: str) -> datetime | None:
        """The first moment that an instance can be restored to."""
        if not item.get("BackupRetentionPeriod") or not item.get("LatestRestorableTime"):
            return None
        name = item["DBInstanceIdentifier"]
        doing = f"looking for the automated backups of {name} in {region}"
        with translated(doing):
            client = self._client_of("rds", region)
            answer = client.describe_db_instance_automated_backups(
                DbiResourceId=item["DbiResourceId"]
            )
        windows = [one.get("RestoreWindow") or {} for one in answer["DBInstanceAutomatedBackups"]]
        known = [one["EarliestTime"] for one in windows if one.get("EarliestTime")]
        return min(known).astimezone(UTC) if known else None

    def _ordered(self, place: Place, doing: str, order: Callable[[], T]) -> T:
        """What a call says that needs an instance in the right state.

        :raises DatabaseError: ``busy`` while it changes; ``precondition_failed`` when it is in a
            state that lasts: RDS has one code for both.
        """
        try:
            with translated(doing):
                return order()
        except DatabaseError as err:
            if err.code != "InvalidDBInstanceState":
                raise
            item = self._described_or_none(place)
            if item is None or state_of(item) in _CHANGING:
                raise
            raise DatabaseError(
                f"{err} (its status is {item['DBInstanceStatus']})",
                kind=ErrorKind.PRECONDITION_FAILED,
                cloud=NAME,
                code=err.code,
            ) from err


def check_settled(item: dict[str, Any], doing: str) -> None:
    """Refuse an instance that RDS changes just now.

    :raises DatabaseError: ``busy``.
    """
    if state_of(item) in _CHANGING:
        raise failure(
            f"{doing}: its status is {item['DBInstanceStatus']}; try again when that is over",
            ErrorKind.BUSY,
        )


def carries_token(item: dict[str, Any], token: str) -> bool:
    """Whether an order with this token made an instance or a snapshot."""
    return tags_of(item).get(TOKEN_LABEL) == token
