"""Restoring into a new instance.

What a request does not name RDS takes from its defaults and not from the source: the default subnet
group, security group and parameter group, no tags, no IAM authentication ("Restoring to a DB
instance" of the Amazon RDS user guide). So the source's are named; its parameter group only when
that is of the family of what is restored.
"""

from __future__ import annotations

from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import check_order
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.database.describing import carries_token, check_settled
from airflow_multicloud.clouds.aws.database.errors import failure, translated
from airflow_multicloud.clouds.aws.database.fields import (
    Place,
    family_of,
    snapshot_state_of,
    state_of,
)
from airflow_multicloud.clouds.aws.database.operations import told
from airflow_multicloud.clouds.aws.database.snapshots import Snapshots
from airflow_multicloud.clouds.aws.tagging import TAG_RULES, tag_list
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseNetwork,
    DatabaseState,
    FromPointInTime,
    FromSnapshot,
    RestoreOrder,
    SnapshotState,
)
from airflow_multicloud.ports.operations import Operation


class Restores(Snapshots):
    """The port's ``restore_database``."""

    def restore_database(self, order: RestoreOrder) -> Operation:
        """Restore into a new instance, or find the one of this order; see the port.

        It has one Availability Zone, also when its source has more, and the source's storage.
        """
        check_order(order, cloud=NAME)
        _check_network(order.network)
        source = self._source_place(order)
        target = Place(name=order.name, region=source.region)
        item = self._described_or_none(target)
        if item is None:
            item = self._restored(order, source) or self._described_or_none(target)
        if item is None:
            raise failure(
                f"restoring {order.name}: an instance of this name came and went; try again",
                ErrorKind.BUSY,
            )
        if not carries_token(item, order.token):
            raise failure(
                f"name: there is another instance {order.name!r} in {source.region}, which this "
                "order did not make; expected a name that is free",
                ErrorKind.ALREADY_EXISTS,
            )
        if state_of(item) is DatabaseState.DELETING:
            check_settled(item, f"restoring {order.name}")
        return told("restore", item)

    def _source_place(self, order: RestoreOrder) -> Place:
        if isinstance(order.source, FromPointInTime):
            return self._database_place(order.source.database)
        return self._snapshot_place(order.source.snapshot)

    def _restored(self, order: RestoreOrder, source: Place) -> dict[str, Any] | None:
        """What RDS says of a new instance; ``None`` when somebody was quicker."""
        client = self._client_of("rds", source.region)
        if isinstance(order.source, FromSnapshot):
            doing = f"restoring {order.name} from the snapshot {source.name}"
            snapshot = self._restorable(source, doing)
            like = self._of_snapshot(snapshot, source.region, doing)
            settings = _settings(order, like, doing)
            if like is not None and family_of(snapshot) != family_of(like):
                # Its source was upgraded since, or downgraded by a restore under its name.
                settings.pop("DBParameterGroupName", None)
            settings |= {"DBInstanceIdentifier": order.name, "DBSnapshotIdentifier": source.name}
            call = client.restore_db_instance_from_db_snapshot
        else:
            doing = f"restoring {order.name} from {source.name}"
            like = self._described(source)
            settings = _settings(order, like, doing)
            settings |= {
                "TargetDBInstanceIdentifier": order.name,
                "SourceDBInstanceIdentifier": source.name,
            }
            if order.source.time is None:
                settings["UseLatestRestorableTime"] = True
            else:
                settings["RestoreTime"] = order.source.time
            call = client.restore_db_instance_to_point_in_time
        try:
            if isinstance(order.source, FromSnapshot):
                with translated(doing):
                    answer = call(**settings)
            else:
                answer = self._ordered(source, doing, lambda: call(**settings))
        except DatabaseError as err:
            if err.kind is not ErrorKind.ALREADY_EXISTS:
                raise
            return None
        with well_formed(doing, NAME, area=DatabaseError):
            made: dict[str, Any] = answer["DBInstance"]
        return made

    def _restorable(self, place: Place, doing: str) -> dict[str, Any]:
        """What RDS says of a snapshot.

        :raises DatabaseError: when it can't be restored.
        """
        item = self._snapshot_or_none(place)
        if item is None:
            raise failure(
                f"{doing}: there is no {place.arn or place.name} in {place.region}",
                ErrorKind.NOT_FOUND,
            )
        with well_formed(doing, NAME, area=DatabaseError):
            state = snapshot_state_of(item)
        if state is not SnapshotState.AVAILABLE:
            creating = state is SnapshotState.CREATING
            raise failure(
                f"{doing}: the snapshot's status is {item['Status']}, expected available",
                ErrorKind.BUSY if creating else ErrorKind.PRECONDITION_FAILED,
            )
        return item

    def _of_snapshot(
        self, snapshot: dict[str, Any], region: str, doing: str
    ) -> dict[str, Any] | None:
        """The instance that a snapshot was taken of; ``None`` when that is gone."""
        with well_formed(doing, NAME, area=DatabaseError):
            name, resource_id = snapshot["DBInstanceIdentifier"], snapshot.get("DbiResourceId")
        source = self._described_or_none(Place(name=name, region=region))
        # Another instance may have its name since.
        return source if source and source.get("DbiResourceId") == resource_id else None


def _check_network(network: DatabaseNetwork | None) -> None:
    if network is not None and network.private_zone is not None:
        raise failure(
            f"network.private_zone: {network.private_zone!r} given, which only Azure has; expected "
            "none",
            ErrorKind.INVALID_ARGUMENT,
        )


def _settings(order: RestoreOrder, like: dict[str, Any] | None, doing: str) -> dict[str, Any]:
    """What both requests have.

    :param like: the instance whose settings are taken where the order leaves something out.
    :raises DatabaseError: ``invalid_argument``, when neither tells the network.
    """
    tags = {
        **current_work().lasting().labels(TAG_RULES),
        **order.labels,
        TOKEN_LABEL: order.token,
    }
    settings: dict[str, Any] = {
        "Tags": tag_list(tags),
        # A final snapshot then tells whose it is.
        "CopyTagsToSnapshot": True,
        "DeletionProtection": order.deletion_protected,
    }
    if order.size is not None:
        settings["DBInstanceClass"] = order.size
    with well_formed(doing, NAME, area=DatabaseError):
        settings |= _network(order.network, like, doing)
        if like is not None:
            groups = [one["DBParameterGroupName"] for one in like.get("DBParameterGroups") or ()]
            if groups:
                settings["DBParameterGroupName"] = groups[0]
            if like.get("IAMDatabaseAuthenticationEnabled"):
                settings["EnableIAMDatabaseAuthentication"] = True
    return settings


def _network(
    network: DatabaseNetwork | None, like: dict[str, Any] | None, doing: str
) -> dict[str, Any]:
    """Where the new instance is attached; each part that is left out is the source's."""
    source = like or {}
    subnet = (network and network.subnet) or (source.get("DBSubnetGroup") or {}).get(
        "DBSubnetGroupName"
    )
    groups = (network and list(network.security_groups)) or [
        one["VpcSecurityGroupId"] for one in source.get("VpcSecurityGroups") or ()
    ]
    if not subnet or not groups:
        raise failure(
            f"network: {doing}: the instance that it was taken of is gone, so its network is not "
            "known; name subnet (a DB subnet group) and security_groups",
            ErrorKind.INVALID_ARGUMENT,
        )
    public = source.get("PubliclyAccessible") if network is None else network.public_address
    return {
        "DBSubnetGroupName": subnet,
        "VpcSecurityGroupIds": groups,
        "PubliclyAccessible": bool(public),
    }
