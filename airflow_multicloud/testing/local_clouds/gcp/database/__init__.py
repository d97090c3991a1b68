"""Cloud SQL on loopback, with a PostgreSQL server behind each instance.

Every request, and every answer but errors, fits Google's own discovery documents: ``sqladmin.v1``,
and ``monitoring.v3`` for the lag of replicas. Without a good token requests are refused. Instances,
replicas, promotions, backups, clones and restores are real, see
:mod:`airflow_multicloud.testing.local_clouds.kit.postgres`; operations are pending, running and
done as those go on, and one instance has one at a time. A name that was deleted stays taken.

Simulated: never compared with Google's servers. What the documents do not say (which codes errors
have, when settings are seen, that a clone has its source's labels, in what order states come) is
told after Google's pages and what users quote, and may be otherwise there. Labels are not deleted
by a patch. Of filters it knows ``field:value`` joined by spaces or AND, of ``instances.list``, and
``instance:NAME`` of backups; it refuses all others, and methods that are not in
:mod:`.server`.

Seeds (:class:`~airflow_multicloud.testing.local_clouds.kit.admin.Admin`): ``database_faults``, in
the form of :class:`~airflow_multicloud.testing.sql_faults.DatabaseFault`; ``held_operations``, each
``{"type": "CLONE"}``, which go on until ``{"clear": true}`` comes; ``unreachable_regions``, each
``{"region": "us-east1"}``, likewise; and what
:mod:`airflow_multicloud.testing.local_clouds.kit.sql_admin` does, by full ids.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.gcp.account_server import account_server, connecting
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec


def cloud_sql(
    data_dir: Path,  # noqa: ARG001 - PostgreSQL's directories are where all users can enter
    *,
    port: int | None = None,
    admin_port: int | None = None,
) -> ServerSpec:
    """Cloud SQL by this package; connection ``gcp_database_local``.

    The server's own endpoint is its administration.

    :param port: of the APIs.
    :param admin_port: of the administration.
    """
    return account_server(
        __name__,
        conn_id="gcp_database_local",
        connect=connecting(("sqladmin", "monitoring")),
        port=port,
        admin_port=admin_port,
    )
