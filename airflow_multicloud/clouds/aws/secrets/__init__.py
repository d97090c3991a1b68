"""Secrets Manager of an AWS connection."""

from __future__ import annotations

from airflow_multicloud.clouds.aws.secrets.reading import SecretReading
from airflow_multicloud.clouds.aws.secrets.removing import SecretRemoval
from airflow_multicloud.clouds.aws.secrets.writing import SecretWriting
from airflow_multicloud.ports.secrets import SecretsService


class SecretsManagerSecretsHook(SecretWriting, SecretRemoval, SecretReading):
    """The secrets of an AWS connection, in its region.

    Making one reads the connection and must happen on the task's own thread.
    """


Hook: type[SecretsService] = SecretsManagerSecretsHook
