"""Amazon Web Services: constants only, so that importing this loads no SDK."""

NAME = "aws"
TITLE = "Amazon Web Services"
REQUIREMENT = "airflow-multicloud[aws]"
CONN_TYPES = ("aws",)
#: URI scheme → the connection used when the URI names none (Airflow's own default ids).
URI_SCHEMES = {"s3": "aws_default"}
