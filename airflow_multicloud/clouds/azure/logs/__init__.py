"""Logs in Azure Monitor: written by the Logs Ingestion API, read by Log Analytics queries.

Unlike elsewhere, nothing is made by writing: a table of the workspace and a data collection rule
must be there, and the connection names them (``logs_stream``, ``logs_rule_id``,
``logs_ingestion_endpoint``, ``logs_workspace_id``). The stream is called as the table, after
``Custom-``: stream ``Custom-MulticloudLogs_CL`` fills table ``MulticloudLogs_CL``. Both have these
columns:

===============  ========  ==============================================
TimeGenerated    datetime  when it happened
Message          string    the text
SeverityText     string    ``TRACE``, ``DEBUG``, ``INFO``, ``WARN``, ``ERROR`` or ``FATAL``
CorrelationId    string    the id of a trace
InsertId         string    the same for an entry that is written again
LogName          string    ``log``: logs share the table
Attributes       dynamic   an object of texts
===============  ========  ==============================================

The table has the plan Analytics; others are queried in another way. The rule passes all on
unchanged (``"transformKql": "source"``). Who writes needs the role Monitoring Metrics Publisher on
the rule, who queries Log Analytics Reader on the workspace.

What the service takes, it keeps twice when it is written twice. It answers before the rule is
applied: what a rule or a full daily cap drops then shows in the table ``DCRLogErrors`` or
``Operation`` of the workspace, and in no answer. It can take minutes until a query finds an entry
(https://learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time).
"""

from __future__ import annotations

from airflow_multicloud.clouds.azure.logs.querying import EntryQueries
from airflow_multicloud.clouds.azure.logs.writing import EntryWriting
from airflow_multicloud.ports.logs import Logs


class MonitorLogsHook(EntryWriting, EntryQueries):
    """The logs of an Azure connection.

    :param conn_id: the connection (type ``azure``, or ``wasb`` with the credentials of a Microsoft
        Entra application), whose extra names the workspace and the data collection rule.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """


Hook: type[Logs] = MonitorLogsHook
