"""Microsoft Azure: constants only, so that importing this loads no SDK."""

NAME = "azure"
TITLE = "Microsoft Azure"
REQUIREMENT = "airflow-multicloud[azure]"
CONN_TYPES = ("wasb", "azure")
#: URI scheme → the connection used when the URI names none (Airflow's own default ids).
URI_SCHEMES = {"abfs": "wasb_default", "abfss": "wasb_default"}
