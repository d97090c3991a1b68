"""CloudWatch's OTLP endpoint for metrics.

"OTLP endpoints" in the Amazon CloudWatch user guide: HTTP only, protobuf or JSON, signed with
Signature Version 4 for the service ``monitoring``
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html).
"""

from __future__ import annotations

from collections.abc import Mapping

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError

from airflow_multicloud.adapters.secret_text import without_user
from airflow_multicloud.clouds.aws.metrics.client import MetricsBase
from airflow_multicloud.clouds.aws.metrics.errors import translated
from airflow_multicloud.ports.metrics import OtlpTarget

_SIGNED_FOR = "monitoring"
#: How ``service_config`` of a connection names it, for another ``endpoint_url``.
SERVICE = "monitoring_otlp"


class OtlpEndpoint(MetricsBase):
    """``OtlpMetrics``."""

    def otlp_metrics_target(self) -> OtlpTarget:
        """CloudWatch's endpoint in the connection's region.

        It is beside CloudWatch's other endpoint; ``service_config.monitoring_otlp.endpoint_url``
        of the connection names another place. The path ``/v1/metrics`` comes after it.

        :raises CredentialsError: when the connection can't be used, or has no credentials.
        """
        client = self._reader()
        region: str = client.meta.region_name
        with translated(f"opening connection {self.aws_conn_id!r}"):
            known = self._session.credentials
            if known is None:
                raise NoCredentialsError
        # A user in it is left out, as botocore does: it would be sent in the signature's place.
        place = without_user(self._session.endpoint_url(SERVICE) or client.meta.endpoint_url)
        url = f"{place.rstrip('/')}/v1/metrics"

        def headers_for(body: bytes) -> Mapping[str, str]:
            request = AWSRequest(method="POST", url=url, data=body)
            with translated(f"signing a request with connection {self.aws_conn_id!r}"):
                SigV4Auth(known.get_frozen_credentials(), _SIGNED_FOR, region).add_auth(request)
            return dict(request.headers.items())

        verify = self._session.verify
        return OtlpTarget(
            url=url,
            headers_for=headers_for,
            resource={},
            verify=True if verify is None else verify,
        )
