"""Making a replica a primary of its own.

https://cloud.google.com/sql/docs/postgres/replication/manage-replicas#promote-replica
"""

from __future__ import annotations

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.fields import primary_of
from airflow_multicloud.clouds.gcp.database.operations import Handle, RunningOperations
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import DatabaseRef
from airflow_multicloud.ports.operations import Operation


class Promotions(RunningOperations):
    """The port's ``promote_replica``."""

    def promote_replica(self, ref: DatabaseRef) -> Operation:
        """Cut a replica from its primary; see the port."""
        place = self._database_place(ref)
        item = self._described(place, ref.region)
        with well_formed(f"promoting {place.id}", NAME, area=DatabaseError):
            following = primary_of(item) is not None
        if not following:
            return self._by_instance("promote", place, item, Handle())
        return self._carried_out("promote", place, "POST", f"{place.path}/promoteReplica")
