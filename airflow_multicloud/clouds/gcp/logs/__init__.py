"""Cloud Logging: entries of a project's logs, on Google's own client.

The log ``etl/nightly`` is ``projects/<project>/logs/etl%2Fnightly``. Entries are written on the
monitored resource ``global``; what becomes of their parts is told in
:mod:`airflow_multicloud.clouds.gcp.logs.converting`. Any entry of a log can be read, whoever wrote
it. One that is older than 30 days is not written: the log buckets that Google makes don't keep it.

Writing needs the role Logs Writer (``roles/logging.logWriter``), querying Logs Viewer
(``roles/logging.viewer``). The connection's extra ``logging.endpoint`` says where else to ask than
Google.
"""

from __future__ import annotations

from airflow_multicloud.clouds.gcp.logs.querying import GCPQuerying
from airflow_multicloud.clouds.gcp.logs.writing import GCPWriting
from airflow_multicloud.ports.logs import Logs


class GCPLogsHook(GCPWriting, GCPQuerying):
    """The logs port on Airflow's base hook, with every form of credentials it takes."""


#: What registry.resolve(Logs, …) makes for Google Cloud connections.
Hook: type[Logs] = GCPLogsHook
