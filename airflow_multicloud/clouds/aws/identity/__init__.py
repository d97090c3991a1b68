"""AWS identity: whom the connection's credentials belong to, as STS sees it."""

from __future__ import annotations

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from airflow_multicloud.clouds.aws.errors import connection_read, translated
from airflow_multicloud.errors import CredentialsError
from airflow_multicloud.ports.identity import Identity, Principal


class StsIdentityHook(AwsBaseHook):
    """The caller of an AWS connection.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def __init__(self, aws_conn_id: str | None = AwsBaseHook.default_conn_name) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="sts")

    def who_am_i(self) -> Principal:
        """Account id, ARN and region; ``sts:GetCallerIdentity`` needs no permission.

        :raises CredentialsError: when there are no credentials or AWS refuses them.
        """
        doing = f"asking STS who connection {self.aws_conn_id!r} is"
        with translated(doing, area=CredentialsError):
            with connection_read(self.aws_conn_id):
                client = self.conn
            caller = client.get_caller_identity()
        return Principal(
            account_id=caller["Account"],
            principal=caller["Arn"],
            region=self.conn_region_name,
        )


Hook: type[Identity] = StsIdentityHook
