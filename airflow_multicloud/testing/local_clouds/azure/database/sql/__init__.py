"""Local databases of Azure SQL: the service's control plane, with no SQL Server behind it.

- Paths, ``api-version``, query parameters and bodies are checked against the SDK's own request
  builders and models (azure-mgmt-sql), and answers against the models that it reads them with.
- Two servers are there from the start, one in each region. A database is what the service says of
  it: its state, size, tags, links, and the moment of another that it was restored from. It holds no
  rows, and nothing answers at port 1433.
- A secondary and its primary share a link. A planned failover swaps their roles, and is refused of
  a secondary that is not synchronized.
- Azure Monitor answers ``replication_lag_seconds`` of a primary with the lag that the owner has set
  (:mod:`.owner`), or zero.
- The codes of refusals are among those that the service's description lists.

What this does not prove, beside what the package around it says: anything about rows; what Azure
does to a request that it has already (a second ``DELETE`` gets the same operation here); how it
names the operations of a failover.
"""

from __future__ import annotations

from airflow_multicloud.testing.local_clouds.azure.database import REGIONS

PROVIDER = "Microsoft.Sql"
#: A server → its region.
SERVERS = {"local-sql-one": REGIONS[0], "local-sql-two": REGIONS[1]}
#: A service objective → its SKU, as it is answered.
SIZES: dict[str, dict[str, str | int]] = {
    "S0": {"name": "Standard", "tier": "Standard", "capacity": 10},
    "S1": {"name": "Standard", "tier": "Standard", "capacity": 20},
    "GP_Gen5_2": {"name": "GP_Gen5", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 2},
    "GP_S_Gen5_1": {"name": "GP_S_Gen5", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 1},
    "DW100c": {"name": "DataWarehouse", "tier": "DataWarehouse", "capacity": 900},
}
