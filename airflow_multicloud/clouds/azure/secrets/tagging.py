"""Changing tags, which a vault keeps by version.

https://learn.microsoft.com/rest/api/keyvault/secrets/update-secret/update-secret
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.adapters.secret_tags import tags_to_be
from airflow_multicloud.clouds.azure.secrets.client import SecretsBase
from airflow_multicloud.clouds.azure.secrets.errors import failure, translated
from airflow_multicloud.clouds.azure.secrets.fields import WRITE, tags_of
from airflow_multicloud.clouds.azure.secrets.listing import removed
from airflow_multicloud.clouds.azure.secrets.naming import NAMES, RULES, check_tags
from airflow_multicloud.clouds.azure.secrets.writing import check_current
from airflow_multicloud.errors import ErrorKind


class AzureTagging(SecretsBase):
    """The port's ``tag_secret``."""

    def check_secret_tags(self, tags: Mapping[str, str]) -> None:
        """Whether a vault takes them; see the port."""
        check_tags(tags)

    def tag_secret(self, name: str, tags: Mapping[str, str], *, version: str) -> None:
        """Make these the tags of the current version; see the port."""
        encoded = NAMES.encode(name)
        check_tags(tags)
        doing = f"tagging secret {name!r}"
        versions = self._versions(doing, encoded)
        if not versions:
            removed(doing, self._deleted(doing, encoded))
            raise failure(
                f"{doing}: name: it was removed; recover it first", ErrorKind.PRECONDITION_FAILED
            )
        check_current(doing, versions, version)
        there = versions[0].tags or {}
        wanted = tags_to_be(tags, tags_of(versions[0]), most=RULES.tag_count)
        wanted |= {key: there[key] for key in (WRITE,) if key in there}
        if wanted != there:
            with translated(doing):
                self._reads.update_secret_properties(encoded, version, tags=wanted)
