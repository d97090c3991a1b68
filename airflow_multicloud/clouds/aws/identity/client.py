"""The caller of an AWS connection, as STS sees it."""

from __future__ import annotations

from airflow_multicloud.clouds.aws.identity.errors import translated
from airflow_multicloud.clouds.aws.session import SessionHook
from airflow_multicloud.ports.identity import Principal


class IdentityBase(SessionHook):
    """The caller of an AWS connection.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def __init__(self, aws_conn_id: str | None = SessionHook.default_conn_name) -> None:
        super().__init__(aws_conn_id, client_type="sts")

    def who_am_i(self) -> Principal:
        """Account id, ARN and region; ``sts:GetCallerIdentity`` needs no permission.

        :raises CredentialsError: when there are no credentials or AWS refuses them.
        """
        with translated(f"asking STS who connection {self.aws_conn_id!r} is"):
            client = self._session.client("sts")
            caller = client.get_caller_identity()
        return Principal(
            account_id=caller["Account"],
            principal=caller["Arn"],
            region=client.meta.region_name,
        )
