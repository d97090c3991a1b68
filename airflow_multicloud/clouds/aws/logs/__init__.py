"""CloudWatch Logs of an AWS connection."""

from __future__ import annotations

from airflow_multicloud.clouds.aws.logs.querying import EntryQuerying
from airflow_multicloud.clouds.aws.logs.writing import EntryWriting
from airflow_multicloud.ports.logs import Logs


class CloudWatchLogsHook(EntryWriting, EntryQuerying):
    """The logs of an AWS connection, in its region.

    Making one reads the connection and must happen on the task's own thread.
    """


Hook: type[Logs] = CloudWatchLogsHook
