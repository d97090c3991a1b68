"""Where the servers are, as each tool wants to be told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_multicloud.testing.local_clouds.aws import REGION
from airflow_multicloud.testing.local_clouds.azure.object_store import AZURITE_ACCOUNT, AZURITE_KEY
from airflow_multicloud.testing.local_clouds.gcp import connection
from airflow_multicloud.testing.local_clouds.gcp.service_account import account_connection

SCHEMES = {"s3": "s3", "gcs": "gs", "azure": "abfs"}
CONNECTIONS = {"s3": "aws_bench", "gcs": "gcp_bench", "azure": "wasb_bench"}
#: The access key of the S3 servers, which takes any.
_KEY = {"access_key_id": "test", "secret_access_key": "testtesttest"}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The base URLs of three servers.

    :param interoperable: whether the Cloud Storage server also takes writes by its XML interface
        and S3's dialect, and gives tokens.
    """

    s3: str
    gcs: str
    azure: str
    interoperable: bool

    def uri(self, cloud: str, bucket: str, prefix: str) -> str:
        """A location for this package."""
        return f"{SCHEMES[cloud]}://{CONNECTIONS[cloud]}@{bucket}/{prefix}/"

    def airflow_environment(self) -> dict[str, str]:
        """Airflow's connections."""
        account = f"{self.azure}/{AZURITE_ACCOUNT}"
        gcs = {"gcs.endpoint": self.gcs}
        connections: dict[str, Mapping[str, object]] = {
            "aws_bench": {
                "conn_type": "aws",
                "login": _KEY["access_key_id"],
                "password": _KEY["secret_access_key"],
                "extra": {"endpoint_url": self.s3, "region_name": REGION},
            },
            # Without a key all writes are JSON.
            "gcp_bench": account_connection(self.gcs, **gcs)
            if self.interoperable
            else connection(**gcs),
            "wasb_bench": {
                "conn_type": "wasb",
                "extra": {
                    "connection_string": "DefaultEndpointsProtocol=http;"
                    f"AccountName={AZURITE_ACCOUNT};AccountKey={AZURITE_KEY};"
                    f"BlobEndpoint={account};"
                },
            },
        }
        return {
            **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(c) for name, c in connections.items()},
            "STORAGE_EMULATOR_HOST": self.gcs,  # GCSHook knows no other way.
        }

    def rclone_environment(self, bucket: str) -> dict[str, str]:
        """rclone's remotes ``s3``, ``gcs``, ``azure``, and ``both`` for writing to two."""
        s3 = {"type": "s3", "force_path_style": "true", "no_check_bucket": "true", **_KEY}
        remotes = {
            "s3": {**s3, "provider": "AWS", "region": REGION, "endpoint": self.s3},
            "gcs": {**s3, "provider": "GCS", "endpoint": self.gcs, "use_multipart_etag": "false"}
            if self.interoperable
            else {
                "type": "gcs",
                "anonymous": "true",
                "endpoint": f"{self.gcs}/storage/v1/",
                "no_check_bucket": "true",
            },
            "azure": {
                "type": "azureblob",
                "account": AZURITE_ACCOUNT,
                "key": AZURITE_KEY,
                "endpoint": f"{self.azure}/{AZURITE_ACCOUNT}",
                "no_check_container": "true",
            },
            "both": {
                "type": "union",
                "upstreams": f"azure:{bucket} gcs:{bucket}",
                "create_policy": "all",
            },
        }
        return {
            f"RCLONE_CONFIG_{remote}_{name}".upper(): value
            for remote, config in remotes.items()
            for name, value in config.items()
        } | {"RCLONE_CONFIG": "/dev/null"}
