"""Making a replica a primary of its own."""

from __future__ import annotations

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.database.describing import check_settled
from airflow_multicloud.clouds.aws.database.operations import RunningOperations, told
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import DatabaseRef
from airflow_multicloud.ports.operations import Operation

#: Days for which a promoted replica keeps its backups when it had none of its own. The console's
#: default for a new instance; that of the call is one day ("BackupRetentionPeriod").
_BACKUP_DAYS = 7


class Promotions(RunningOperations):
    """The port's ``promote_replica``."""

    def promote_replica(self, ref: DatabaseRef) -> Operation:
        """Cut a replica from its primary; see the port.

        It has automatic backups from then on: its own days, or a week.
        """
        place = self._database_place(ref)
        doing = f"promoting {place.name}"
        item = self._described(place)
        check_settled(item, doing)
        if not item.get("ReadReplicaSourceDBInstanceIdentifier"):
            return told("promote", item)
        client = self._client_of("rds", place.region)
        answer = self._ordered(
            place,
            doing,
            lambda: client.promote_read_replica(
                DBInstanceIdentifier=place.name,
                BackupRetentionPeriod=item.get("BackupRetentionPeriod") or _BACKUP_DAYS,
            ),
        )
        with well_formed(doing, NAME, area=DatabaseError):
            return told("promote", answer["DBInstance"])
