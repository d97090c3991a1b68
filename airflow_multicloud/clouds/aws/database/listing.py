"""All instances that carry labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import carries
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.database.describing import Descriptions
from airflow_multicloud.clouds.aws.database.errors import translated
from airflow_multicloud.clouds.aws.database.fields import instance_of, region_in
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import DatabaseInstance, DatabasePlace, DatabaseRef

#: The most that RDS takes ("DescribeDBInstances", MaxRecords).
PAGE = {"PageSize": 100}


class Listings(Descriptions):
    """The port's places, and ``list_databases``."""

    def database_place(self, ref: DatabaseRef | None) -> DatabasePlace:
        """The region that the ARN or the reference names, else the connection's own; see the port.

        What is restored from a snapshot that another account shares lies in the connection's.
        """
        return DatabasePlace(region=(ref and region_in(ref)) or self._home())

    def database_account(self, place: DatabasePlace) -> str:
        """The account of the connection's credentials, in every region; see the port."""
        return self._own_account(place.region)

    def list_databases(
        self, labels: Mapping[str, str | None], place: DatabasePlace | None = None
    ) -> Iterator[DatabaseInstance]:
        """Every instance that carries these labels; see the port.

        Those of clusters are left out. RDS has no filter for tags: all instances of the region are
        asked for.
        """
        where = (place.region if place else None) or self._home()
        doing = f"listing the databases of {where}"
        with translated(doing):
            pages = self._client_of("rds", where).get_paginator("describe_db_instances")
            for page in pages.paginate(PaginationConfig=PAGE):
                with well_formed(doing, NAME, area=DatabaseError):
                    found = [
                        instance_of(item, where)
                        for item in page["DBInstances"]
                        if not item.get("DBClusterIdentifier")
                    ]
                yield from (one for one in found if carries(one.labels, labels))
