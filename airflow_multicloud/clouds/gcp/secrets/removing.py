"""Removing secrets so that they can be recovered, which Google does not have.

Deleting a secret is for good (https://cloud.google.com/secret-manager/docs/delete-secret), so its
versions are disabled instead. An annotation, written before, tells which those are, and afterwards
that this is done, with the etag that the newest version has then: when that one is enabled in some
other way the removal is over, also if it is disabled again. One that ended half-way is taken up by
the next call, of either verb.
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
    is_over,
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
                before = None if is_over(secret, newest) else removal_of(secret, newest)
                noted = {*enabled, *(() if before is None else before.enabled)}
                removal = Removal(newest=int(version), enabled=tuple(sorted(noted)))
                secret = self._noted(secret, removal)
                disabled = [self._disable(path, number) for number in sorted(enabled)]
                check_current(secret, newest := self._newest(path), version)
                # What disabling has answered is newer than what is asked for may be.
                last = next((one for one in disabled if number_of(one) == int(version)), newest)
                newest = last
                done = "" if last is None else last.etag
                secret = self._noted(secret, replace(removal, done=done))
            return secret_of(secret, newest)

        return self._done(f"removing secret {name!r}", remove)

    def recover_secret(self, name: str) -> Secret:
        """Enable again what removing disabled; see the port."""
        path = self._path(name)

        def recover() -> Secret:
            secret, newest = self._get(path), self._newest(path)
            if (removal := Removal.noted_in(secret)) is None:
                return secret_of(secret, newest)
            if not is_over(secret, newest):
                # From here on it is not removed; the newest version comes last, as in removing.
                secret = self._noted(secret, replace(removal, done=None))
                for one in sorted(self._versions(path), key=number_of):
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
