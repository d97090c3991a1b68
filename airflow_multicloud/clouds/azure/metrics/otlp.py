"""Azure Monitor's OTLP endpoint for metrics.

https://learn.microsoft.com/azure/azure-monitor/containers/opentelemetry-protocol-ingestion: the
endpoint of a data collection rule, with tokens of Microsoft Entra. Some copies of that page call it
a preview.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.clouds.azure.metrics.client import MetricsBase
from airflow_multicloud.ports.metrics import OtlpTarget


class OtlpEndpoint(MetricsBase):
    """The port's ``OtlpMetrics``."""

    def otlp_metrics_target(self) -> OtlpTarget:
        """Where, and as whom.

        :raises CredentialsError: when the connection has no ``otlp_metrics_endpoint``, or no
            credential for tokens.
        """
        monitor = self._monitor
        url = monitor.require_otlp_metrics_endpoint()
        monitor.require_credential()

        def headers_for(_body: bytes) -> Mapping[str, str]:
            return {"Authorization": f"Bearer {monitor.get_token(monitor.scope)}"}

        return OtlpTarget(url=url, headers_for=headers_for, resource={}, verify=monitor.verify)
