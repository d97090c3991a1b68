"""Writing values: what is replaced is compared in the step that replaces it.

A new secret is made in one step, which can't overwrite an existing one. A new version is
written with a staging label of its own, so that nobody reads it yet; then ``AWSCURRENT`` is moved
to it *from the version that must have it*, which Secrets Manager refuses when another has it:
"If the staging label you are trying to attach to one version is already attached to a different
version, then you must also specify the RemoveFromVersionId parameter. […] If the label is attached
and […] the version ID does not match, then the operation fails" (UpdateSecretVersionStage). The
previous version gets ``AWSPREVIOUS`` by itself. The token is the version's id, so each step may
be taken again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.adapters.secret_tags import tags_of_new
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.secrets.errors import failure, translated
from airflow_multicloud.clouds.aws.secrets.fields import (
    CURRENT,
    PREVIOUS,
    check_current,
    check_there,
    current_of,
    is_removed,
    labels_of,
    value_argument,
)
from airflow_multicloud.clouds.aws.secrets.listing import SecretListing
from airflow_multicloud.clouds.aws.secrets.naming import NAMES, RULES, TAG_VALUES
from airflow_multicloud.clouds.aws.secrets.tagging import SecretTagging, check_tags
from airflow_multicloud.clouds.aws.tagging import tag_list
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretVersion

#: With the token behind it: the label of a version that is not current yet.
_LABEL = "airflow-multicloud-"


class SecretWriting(SecretListing, SecretTagging):
    """The port's ``write_secret``."""

    def write_secret(
        self,
        name: str,
        value: bytes,
        *,
        token: str,
        replaces: str | None,
        tags: Mapping[str, str] | None = None,
    ) -> SecretVersion:
        """Write a value as the new current version; see the port.

        :param token: becomes the version's id.
        """
        cloud_name = NAMES.encode(name)
        argument = value_argument(value)
        version = _version_id(token)
        check_tags(tags or {})
        mask_value(value)
        if replaces is None:
            self._create(cloud_name, argument, version, tags)
        else:
            self._replace(cloud_name, argument, version, replaces)
            if tags is not None:
                self._make_tags(self._described(cloud_name), tags)
        return self._version(cloud_name, version)

    def _create(
        self,
        cloud_name: str,
        argument: Mapping[str, Any],
        version: str,
        tags: Mapping[str, str] | None,
    ) -> None:
        all_tags = tags_of_new(tags, TAG_VALUES, most=RULES.tag_count)
        client = self._secrets_client()
        try:
            with translated(f"creating the secret {cloud_name}"):
                client.create_secret(
                    Name=cloud_name,
                    ClientRequestToken=version,
                    Tags=tag_list(all_tags),
                    **argument,
                )
        except SecretsError as err:
            # A name whose secret is marked for deletion is refused as a request that does not
            # fit the state of things, without saying which.
            if err.kind is ErrorKind.PRECONDITION_FAILED and self._was_removed(cloud_name):
                raise failure(
                    f"name: there is a removed secret {cloud_name}; recover it first",
                    ErrorKind.ALREADY_EXISTS,
                ) from err
            raise

    def _replace(
        self, cloud_name: str, argument: Mapping[str, Any], version: str, replaces: str
    ) -> None:
        item = self._described(cloud_name)
        doing = f"writing the secret {cloud_name}"
        with well_formed(doing, NAME, area=SecretsError):
            check_there(item)
            current, labels = current_of(item), labels_of(item, version)
        if current not in (replaces, version) and PREVIOUS not in labels:
            # Not written yet, and can't be: it would be one more version for nothing.
            check_current(item, replaces, parameter="replaces")
        label, client = f"{_LABEL}{version}", self._secrets_client()
        with translated(doing):
            answer = client.put_secret_value(
                SecretId=cloud_name,
                ClientRequestToken=version,
                VersionStages=[label],
                **argument,
            )
        with well_formed(doing, NAME, area=SecretsError):
            # "This operation is idempotent": of a version that is there, these are its labels.
            labels = tuple(answer["VersionStages"])
        if CURRENT not in labels:
            self._make_current(cloud_name, version, replaces, label)
        if label in labels:
            self._take_label(cloud_name, version, label)

    def _make_current(self, cloud_name: str, version: str, replaces: str, label: str) -> None:
        """Make a version the current one, if the one that it replaces is current now."""
        client = self._secrets_client()
        try:
            with translated(f"making {version} the current version of {cloud_name}"):
                client.update_secret_version_stage(
                    SecretId=cloud_name,
                    VersionStage=CURRENT,
                    MoveToVersionId=version,
                    RemoveFromVersionId=replaces,
                )
        except SecretsError as err:
            if err.kind is not ErrorKind.INVALID_ARGUMENT:
                raise
            item = self._described(cloud_name)
            labels = labels_of(item, version)
            if CURRENT in labels or PREVIOUS in labels:
                return  # The answer was lost, or another version has replaced it since.
            if label in labels:
                self._take_label(cloud_name, version, label)
            raise failure(
                f"replaces: {replaces} given, but {current_of(item)} is the current version of "
                f"{cloud_name}, written at the same time; what was to be written is the version "
                f"{version} without a label, which nobody reads",
                ErrorKind.PRECONDITION_FAILED,
            ) from err

    def _take_label(self, cloud_name: str, version: str, label: str) -> None:
        """Take away the label of a version, of which a secret can have 20."""
        client = self._secrets_client()
        try:
            with translated(f"taking the label {label} from {cloud_name}"):
                client.update_secret_version_stage(
                    SecretId=cloud_name, VersionStage=label, RemoveFromVersionId=version
                )
        except SecretsError as err:
            if err.kind is not ErrorKind.INVALID_ARGUMENT or label in labels_of(
                self._described(cloud_name), version
            ):
                raise  # else it is taken already, and the answer was lost

    def _was_removed(self, cloud_name: str) -> bool:
        try:
            return is_removed(self._described(cloud_name))
        except SecretsError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                return False
            raise


def _version_id(token: str) -> str:
    """The id of the version that a token writes."""
    try:
        return str(uuid.UUID(token))
    except ValueError:
        raise failure("token: expected a UUID", ErrorKind.INVALID_ARGUMENT) from None
