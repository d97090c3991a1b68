"""Changing tags: https://cloud.google.com/secret-manager/docs/manage-annotations."""

from __future__ import annotations

from collections.abc import Mapping

from google.cloud.secretmanager_v1.types import resources

from airflow_multicloud.adapters.secret_tags import tags_to_be
from airflow_multicloud.clouds.gcp.secrets.annotations import put_tags, tags_in
from airflow_multicloud.clouds.gcp.secrets.client import SecretsBase
from airflow_multicloud.clouds.gcp.secrets.fields import check_current, check_not_removed
from airflow_multicloud.clouds.gcp.secrets.naming import RULES


class GCPTagging(SecretsBase):
    """The port's ``tag_secret``."""

    def check_secret_tags(self, tags: Mapping[str, str]) -> None:
        """Whether they fit into labels and annotations; see the port."""
        put_tags(tags, resources.Secret())

    def tag_secret(self, name: str, tags: Mapping[str, str], *, version: str) -> None:
        """Make these the secret's tags; see the port.

        Google keeps them by secret. The version is looked at before, and whatever changes the
        secret itself in between is noticed by its etag.
        """
        path = self._path(name)
        self.check_secret_tags(tags)

        def tag() -> None:
            secret, newest = self._get(path), self._newest(path)
            check_not_removed(secret, newest)
            check_current(secret, newest, version)
            before = resources.Secret(secret)
            put_tags(tags_to_be(tags, tags_in(secret), most=RULES.tag_count), secret)
            if secret != before:
                self._update(secret, "labels", "annotations")

        self._done(f"tagging secret {name!r}", tag)
