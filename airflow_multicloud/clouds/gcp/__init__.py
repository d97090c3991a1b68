"""Google Cloud: constants only, so that importing this loads no SDK."""

from airflow_multicloud.labels import LabelRules

NAME = "gcp"
TITLE = "Google Cloud"
REQUIREMENT = "airflow-multicloud[gcp]"
CONN_TYPES = ("google_cloud_platform",)
#: URI scheme → the connection used when the URI names none (Airflow's own default ids).
URI_SCHEMES = {"gs": "google_cloud_default"}
#: The same for billing exports, which lie in BigQuery: ``bigquery://conn_id@project/dataset/table``.
EXPORT_SCHEMES = {"bigquery": "google_cloud_default"}
#: cloud.google.com/storage/docs/tags-and-labels, and the same for BigQuery's jobs.
LABELS = LabelRules(illegal=r"[^\w-]", longest=63, most_bytes=128, lower=True)
