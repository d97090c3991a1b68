"""Tags: they belong to the secret, not to a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.secret_tags import tags_to_be
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.secrets.client import SecretsBase
from airflow_multicloud.clouds.aws.secrets.errors import failure, translated
from airflow_multicloud.clouds.aws.secrets.fields import check_there, tags_of
from airflow_multicloud.clouds.aws.secrets.naming import (
    NAMES,
    RULES,
    SYSTEM_TAGS,
    TAG_KEY,
    TAG_VALUE,
)
from airflow_multicloud.clouds.aws.tagging import tag_list
from airflow_multicloud.errors import ErrorKind, SecretsError


class SecretTagging(SecretsBase):
    """The port's ``tag_secret``."""

    def check_secret_tags(self, tags: Mapping[str, str]) -> None:
        """Whether Secrets Manager takes them; see the port."""
        check_tags(tags)

    def tag_secret(
        self,
        name: str,
        tags: Mapping[str, str],
        *,
        version: str,  # noqa: ARG002 - the port's
    ) -> None:
        """Make these the secret's tags; see the port.

        :param version: is not compared: tags are the secret's, whichever version is current.
        """
        cloud_name = NAMES.encode(name)
        check_tags(tags)
        item = self._described(cloud_name)
        check_there(item)
        self._make_tags(item, tags)

    def _make_tags(self, item: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Change what is not as it should be.

        :param item: of DescribeSecret.
        """
        doing = f"tagging the secret {item['Name']}"
        with well_formed(doing, NAME, area=SecretsError):
            there = tags_of(item)
        wanted = tags_to_be(tags, there, most=RULES.tag_count)
        gone = sorted(there.keys() - wanted.keys())
        new = {key: value for key, value in wanted.items() if there.get(key) != value}
        client = self._secrets_client()
        with translated(doing):
            # In this order: there may be room for the new ones only then.
            if gone:
                client.untag_resource(SecretId=item["Name"], TagKeys=gone)
            if new:
                client.tag_resource(SecretId=item["Name"], Tags=tag_list(new))


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse tags that Secrets Manager can't take.

    :raises SecretsError: ``invalid_argument``.
    """
    if len(tags) > RULES.tag_count:
        raise failure(
            f"tags: {len(tags)} given, at most {RULES.tag_count} allowed",
            ErrorKind.INVALID_ARGUMENT,
        )
    for key, value in tags.items():
        reserved = key.lower().startswith(SYSTEM_TAGS)
        if reserved or not (TAG_KEY.fullmatch(key) and TAG_VALUE.fullmatch(value)):
            raise failure(
                f"tags: {key!r} given, expected a key of 1 to 128 and a value of at most 256 "
                "letters, digits, spaces and _.:/=+-@, the key not beginning with 'aws:'",
                ErrorKind.INVALID_ARGUMENT,
            )
