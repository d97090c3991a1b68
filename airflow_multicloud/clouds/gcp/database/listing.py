"""All instances that carry labels.

https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1/instances/list: the answer has a
warning for each region that could not be asked, and the others' instances all the same. Who cleans
up by such a list would leave instances behind, so it is an error here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import carries
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.describing import Descriptions
from airflow_multicloud.clouds.gcp.database.errors import failure, translated
from airflow_multicloud.clouds.gcp.database.fields import instance_of, project_in, project_path
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import DatabaseInstance, DatabasePlace, DatabaseRef

#: What a filter can hold as it is; others are looked for here.
_PLAIN: Final = re.compile(r"[a-z0-9_-]{1,63}")


class Listings(Descriptions):
    """The port's places, and ``list_databases``."""

    def database_place(self, ref: DatabaseRef | None) -> DatabasePlace:
        """The project that the id names, else the connection's own; see the port.

        A listing is of all regions of a project.
        """
        return DatabasePlace(account_id=(ref and project_in(ref)) or self._home())

    def database_account(self, place: DatabasePlace) -> str:
        """The project that the place names, else the connection's own; see the port."""
        return place.account_id or self._home()

    def list_databases(
        self, labels: Mapping[str, str | None], place: DatabasePlace | None = None
    ) -> Iterator[DatabaseInstance]:
        """Every instance of the project that carries these labels; see the port.

        :raises DatabaseError: ``unavailable``, naming the regions that Google could not ask.
        """
        project = (place.account_id if place else None) or self._home()
        region = place.region if place else None
        doing = f"listing the databases of {project}"
        wanted = " ".join(
            f"settings.userLabels.{key}:{'*' if value is None else value}"
            for key, value in labels.items()
            if _PLAIN.fullmatch(key) and (value is None or _PLAIN.fullmatch(value))
        )
        query = {"filter": wanted} if wanted else {}
        with translated(doing):
            for page in self._admin.pages(f"{project_path(project)}/instances", query, doing):
                with well_formed(doing, NAME, area=DatabaseError):
                    check_complete(page, doing, region)
                    # One that is not PostgreSQL, MySQL or SQL Server is outside of Cloud SQL.
                    found = [
                        instance_of(item)
                        for item in page.get("items", ())
                        if item.get("instanceType") != "ON_PREMISES_INSTANCE"
                    ]
                for one in found:
                    if region in (None, one.ref.region) and carries(one.labels, labels):
                        yield one


def check_complete(page: Mapping[str, Any], doing: str, region: str | None) -> None:
    """Refuse a list that lacks something.

    :param region: which alone matters.
    :raises DatabaseError: ``unavailable``.
    """
    missed = [
        str(warning.get("region") or warning.get("message") or warning.get("code"))
        for warning in page.get("warnings") or ()
        if warning.get("code") in ("REGION_UNREACHABLE", "INTERNAL_STATE_FAILURE")
        and (region is None or warning.get("region") in (None, "", region))
    ]
    if missed:
        raise failure(
            f"{doing}: Google Cloud could not ask all regions: {', '.join(missed)}; what is there "
            "is unknown",
            ErrorKind.UNAVAILABLE,
        )
