"""Secrets and their versions, without values.

https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/list
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final
from urllib.parse import quote

from airflow_multicloud.adapters.answers import Tokens, not_an_answer, well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.secrets.annotations import Removal
from airflow_multicloud.clouds.gcp.secrets.client import SecretsBase
from airflow_multicloud.clouds.gcp.secrets.errors import translated
from airflow_multicloud.clouds.gcp.secrets.fields import is_removed, secret_of, version_of
from airflow_multicloud.clouds.gcp.secrets.naming import NAMES, RULES
from airflow_multicloud.errors import SecretsError
from airflow_multicloud.ports.secrets import Secret, SecretRules, SecretStore, SecretVersion

#: The service, and where it is.
_RESOURCE_MANAGER: Final = ("cloudresourcemanager", "https://cloudresourcemanager.googleapis.com")
_NUMBER: Final = re.compile(r"projects/[0-9]+")


class GCPListing(SecretsBase):
    """What is told of secrets."""

    def describe_store(self) -> SecretStore:
        """The project by its number, which Google's Resource Manager knows; see the port.

        https://cloud.google.com/resource-manager/reference/rest/v3/projects/get
        """
        path = f"projects/{self._session.needed_project}"
        doing = f"asking Resource Manager for {path}"
        with translated(doing):
            projects = self._session.rest(*_RESOURCE_MANAGER, area=SecretsError)
            told = projects.ask("GET", f"/v3/{quote(path, safe='/:')}")
        with well_formed(doing, NAME, area=SecretsError):
            number, project = str(told["name"]), str(told["projectId"])
        if not _NUMBER.fullmatch(number):
            raise not_an_answer(doing, NAME, "its name has no number", area=SecretsError)
        short = number.removeprefix("projects/")
        return SecretStore(id=number, also=frozenset({short, project, f"projects/{project}"}))

    def describe_secret_rules(self) -> SecretRules:
        """What Secret Manager takes."""
        return RULES

    def check_secret_name(self, name: str) -> str:
        """The secret's id; see the port."""
        return NAMES.encode(name)

    def describe_secret(self, name: str) -> Secret:
        """The secret as it is; see the port."""
        path = self._path(name)
        return self._done(
            f"asking for secret {name!r}", lambda: secret_of(self._get(path), self._newest(path))
        )

    def find_secrets(self, prefix: str = "") -> Iterator[Secret]:
        """The secrets whose names begin so; see the port.

        Which version is current is left out: it would take a request for each. Those that a
        removal is noted of take one, which tells whether somebody has recovered them otherwise.
        """
        parent = f"projects/{self._session.needed_project}"
        doing = f"listing the secrets of {parent}"
        tokens, token = Tokens(doing, NAME, area=SecretsError), ""
        while True:
            page = self._done(doing, partial(self._page, parent, token))
            for message in page.secrets:
                encoded = message.name.rpartition("/")[2]
                if not (NAMES.decode(encoded) or encoded).startswith(prefix):
                    continue
                newest = None
                if Removal.noted_in(message) is not None:
                    newest = self._done(doing, partial(self._newest, message.name))
                if not is_removed(message, newest):
                    yield secret_of(message, newest)
            if not (token := page.next_page_token):
                return
            tokens.note(token)

    def list_secret_versions(self, name: str) -> Iterator[SecretVersion]:
        """All versions, the newest first, as Google lists them; see the port."""
        path = self._path(name)
        doing = f"listing the versions of secret {name!r}"
        secret = self._done(doing, lambda: self._get(path))
        tokens, token, is_newest = Tokens(doing, NAME, area=SecretsError), "", True
        while True:
            page = self._done(doing, partial(self._page_of_versions, path, token))
            for version in page.versions:
                yield version_of(secret, version, is_current=is_newest)
                is_newest = False
            if not (token := page.next_page_token):
                return
            tokens.note(token)
