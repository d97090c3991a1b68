"""All instances that carry labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import carries
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.database.describing import Descriptions
from airflow_multicloud.clouds.aws.database.errors import translated
from airflow_multicloud.clouds.aws.database.fields import instance_of
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import DatabaseInstance

#: The most that RDS takes ("DescribeDBInstances", MaxRecords).
PAGE = {"PageSize": 100}


class Listings(Descriptions):
    """The port's ``list_databases``."""

    def list_databases(
        self, labels: Mapping[str, str | None], region: str | None = None
    ) -> Iterator[DatabaseInstance]:
        """Every instance that carries these labels; see the port.

        Those of clusters are left out. RDS has no filter for tags: all instances of the region are
        asked for.
        """
        where = region or self._home()
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
