"""Local flexible servers of Azure Database for PostgreSQL, with a PostgreSQL server behind each.

- Paths, ``api-version``, query parameters and bodies are checked against the SDK's own request
  builders and models (azure-mgmt-postgresqlflexibleservers; azure-mgmt-resource for tags), and
  answers against the models that it reads them with. Locks (Microsoft.Authorization) and metrics
  (Microsoft.Insights) have no SDK here: they follow their reference pages, which :mod:`.locks` and
  :mod:`.lags` name.
- A server is a PostgreSQL server of its own (:mod:`..kit.postgres`) at its
  ``fullyQualifiedDomainName``, here an address of loopback, at port 5432. A replica streams from
  its primary, a promotion promotes it; an on-demand backup is a copy of the data, and a restore
  starts a new server from it, when it is to the moment of one, or from the archive to a point in
  time. Users and passwords come along. States change, and operations end, when the work is done.
- Status codes, the headers ``Azure-AsyncOperation`` and ``Location``, the body of a 202 and those
  of operations are as in a recording of the SDK's own tests of the older single server (2020).
- Azure Monitor answers ``physical_replication_delay_in_seconds`` with the lag that a replica has at
  that moment; Azure measures once a minute.
- A ``PUT`` on a name that is there changes the server, as Azure's reference says, and gives it the
  new tags: nothing here keeps an order from taking another's server.
- Databases of Azure SQL are there too, with no SQL Server behind them: :mod:`.sql`.
- Faults can be planted (:class:`~airflow_multicloud.testing.sql_faults.DatabaseFault`), a replica
  held and a backup damaged (:class:`..kit.sql_admin.DatabaseOwner`).

What this does not prove: permissions, limits and throttling, how long Azure takes, the service's
own error codes (they are in no list; see :mod:`.words`), whether a backup that is being taken is
listed (here it is, without a time), what becomes of a server whose restore failed (here nothing is
left), and what Azure checks beyond its models and the rules that are named here. Nothing of it was
compared with Azure.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID, azure_connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port

REGIONS = ("westeurope", "northeurope")
RESOURCE_GROUP = "local-databases"
#: A SKU → its tier.
SIZES = {
    "Standard_B2s": "Burstable",
    "Standard_D2ds_v5": "GeneralPurpose",
    "Standard_D4ds_v5": "GeneralPurpose",
    "Standard_E2ds_v5": "MemoryOptimized",
}
_NETWORKS = (
    f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}/providers/Microsoft.Network"
)
#: A subnet that is delegated to flexible servers, and a private DNS zone for it.
SUBNET_ID = f"{_NETWORKS}/virtualNetworks/net/subnets/databases"
ZONE_ID = f"{_NETWORKS}/privateDnsZones/local.private.postgres.database.azure.com"


def flexible_servers(
    data_dir: Path, *, port: int | None = None, admin_port: int | None = None
) -> ServerSpec:
    """Resource Manager with flexible servers, over TLS; connection ``azure_database_local``.

    The server's own endpoint is its administration.

    :param port: of Azure.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    directory = data_dir / "azure-database"
    return ServerSpec(
        name="azure-database",
        port=admin_port,
        command=python_command(
            __name__,
            *("--port", str(port)),
            *("--admin-port", str(admin_port)),
            *("--directory", str(directory)),
        ),
        ready_path="/",
        connections={
            "azure_database_local": azure_connection(port, admin_port, directory / "ca.pem")
        },
    )
