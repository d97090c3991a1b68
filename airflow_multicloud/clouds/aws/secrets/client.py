"""The client of Secrets Manager of an AWS connection, and which store it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.secrets_manager import SecretsManagerHook

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.clients import asking_client
from airflow_multicloud.clouds.aws.secrets.errors import translated
from airflow_multicloud.clouds.aws.secrets.naming import NAMES, RULES
from airflow_multicloud.clouds.aws.session import SessionHook
from airflow_multicloud.errors import SecretsError
from airflow_multicloud.ports.secrets import SecretRules, SecretStore


class SecretsBase(SessionHook, SecretsManagerHook):
    """What the verbs stand on: the official hook and one opened connection."""

    def _secrets_client(self) -> Any:
        """The client; what it writes has a token, so that it may send all of it again."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            return self._session.once(
                "secrets", lambda: asking_client("secretsmanager", self._session)
            )

    def describe_store(self) -> SecretStore:
        """``arn:aws:secretsmanager:<region>:<account>``; see the port."""
        doing = f"asking STS who connection {self.aws_conn_id!r} is"
        with translated(doing):
            caller = self._session.client("sts").get_caller_identity()
        with well_formed(doing, NAME, area=SecretsError):
            partition, account = caller["Arn"].split(":")[1], caller["Account"]
        region = self._secrets_client().meta.region_name
        return SecretStore(
            id=f"arn:{partition}:secretsmanager:{region}:{account}", also=frozenset({account})
        )

    def describe_secret_rules(self) -> SecretRules:
        """What Secrets Manager takes; see the port."""
        return RULES

    def check_secret_name(self, name: str) -> str:
        """The name as Secrets Manager has it; see the port."""
        return NAMES.encode(name)

    def _described(self, cloud_name: str) -> Mapping[str, Any]:
        """What Secrets Manager says of a secret, also of one that is marked for deletion."""
        client = self._secrets_client()
        with translated(f"describing the secret {cloud_name}"):
            found: Mapping[str, Any] = client.describe_secret(SecretId=cloud_name)
        return found
