"""Removing secrets so that they can be recovered, which Google does not have.

Deleting a secret is for good (https://cloud.google.com/secret-manager/docs/delete-secret), so its
versions are disabled instead. An annotation, written before, tells which those are, and afterwards
that this is done. One that ended half-way is taken up by the next call, of either verb.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from google.cloud.secretmanager_v1.types import resources

from airflow_multicloud.adapters.answers import Tokens
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.secrets.annotations import REMOVED, Removal, put_note
from airflow_multicloud.clouds.gcp.secrets.client import SecretsBase
from airflow_multicloud.clouds.gcp.secrets.fields import (
    check_current,
    is_disabled,
    is_enabled,
    is_removed,
    number_of,
    removal_of,
    secret_of,
)
from airflow_multicloud.errors import SecretsError
from airflow_multicloud.ports.secrets import Secret


class GCPRemoving(SecretsBase):
    """Removing and recovering."""

    def remove_secret(self, name: str, *, version: str) -> Secret:
        """Disable all versions; see the port. The secret stays until somebody deletes it.

        Versions that were disabled before stay so when it is recovered.
        """
        path = self._path(name)

        def remove() -> Secret:
            secret, newest = self._get(path), self._newest(path)
            check_current(secret, newest, version)
            if not is_removed(secret, newest):
                enabled = [number_of(one) for one in self._versions(path) if is_enabled(one)]
                before = removal_of(secret, newest)
                noted = {*enabled, *(() if before is None else before.enabled)}
                removal = Removal(newest=int(version), enabled=tuple(sorted(noted)), done=False)
                secret = self._noted(secret, removal)
                for number in sorted(enabled):
                    self._disable(path, number)
                check_current(secret, newest := self._newest(path), version)
                secret = self._noted(secret, replace(removal, done=True))
            return secret_of(secret, newest)

        return self._done(f"removing secret {name!r}", remove)

    def recover_secret(self, name: str) -> Secret:
        """Enable again what removing disabled; see the port."""
        path = self._path(name)

        def recover() -> Secret:
            secret, newest = self._get(path), self._newest(path)
            if (removal := removal_of(secret, newest)) is None:
                return secret_of(secret, newest)
            for one in list(self._versions(path)):
                if number_of(one) in removal.enabled and is_disabled(one):
                    self._enable(path, number_of(one))
            del secret.annotations[REMOVED]
            return secret_of(self._update(secret, "annotations"), self._newest(path))

        return self._done(f"recovering secret {name!r}", recover)

    def _noted(self, secret: resources.Secret, removal: Removal) -> resources.Secret:
        """The secret with this removal noted."""
        if removal == Removal.noted_in(secret):
            return secret
        put_note(REMOVED, removal.to_text(), secret)
        return self._update(secret, "annotations")

    def _versions(self, path: str) -> Iterator[resources.SecretVersion]:
        tokens, token = Tokens(f"listing the versions of {path}", NAME, area=SecretsError), ""
        while True:
            page = self._page_of_versions(path, token)
            yield from page.versions
            if not (token := page.next_page_token):
                return
            tokens.note(token)
