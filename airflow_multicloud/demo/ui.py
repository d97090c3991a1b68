"""``python -m airflow_multicloud.demo.ui COMMAND…``: run an Airflow on seeded local clouds.

The local connections become the default ones, so that the example DAGs run as they are.
"""

from __future__ import annotations

import os
import sys

_DEFAULTS = {
    "AIRFLOW_CONN_AWS_DEFAULT": "AIRFLOW_CONN_AWS_LOCAL",
    "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": "AIRFLOW_CONN_GCP_LOCAL",
    "AIRFLOW_CONN_WASB_DEFAULT": "AIRFLOW_CONN_WASB_LOCAL",
}


def main() -> None:
    """Seed the clouds and become the command."""
    from airflow_multicloud.demo.data import seed

    os.environ.update({name: os.environ[local] for name, local in _DEFAULTS.items()})
    seed("s3://primary/data/", ["gs://replica/data/", "abfs://replica/data/"])
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the Makefile's own command


if __name__ == "__main__":
    main()
