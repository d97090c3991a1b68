"""Writing values: https://learn.microsoft.com/rest/api/keyvault/secrets/set-secret/set-secret.

A vault adds a version whatever was added before, and as often as it is asked. So each version has
a tag with its write's token and the version that it replaced: it is looked for before, and whatever
else has come in between is looked for afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.adapters.secret_tags import tags_of_new, tags_to_be
from airflow_multicloud.adapters.secret_tokens import is_token
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.secrets.client import SecretsBase
from airflow_multicloud.clouds.azure.secrets.errors import failure, translated
from airflow_multicloud.clouds.azure.secrets.fields import (
    BASE64,
    WRITE,
    Written,
    created,
    tags_of,
    text_of,
    value_of,
    version_of,
)
from airflow_multicloud.clouds.azure.secrets.naming import (
    LABELS,
    NAMES,
    RULES,
    check_tags,
    refused,
)
from airflow_multicloud.errors import ErrorKind, OverwrittenError, SecretsError
from airflow_multicloud.ports.secrets import SecretVersion

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretProperties

    Versions = list[SecretProperties]


class AzureWriting(SecretsBase):
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

        Tags and the content type of a text are those of the version before, unless they are given;
        when that one was valid from and until is not taken over.
        """
        encoded = NAMES.encode(name)
        text, content_type = text_of(name, value)
        if not is_token(token):
            raise refused("token: no UUID given; expected one, for this value of this secret")
        check_tags(tags or {})
        mask_value(value)
        doing = f"writing secret {name!r}"
        before = self._versions(doing, encoded)
        for version in reversed(before):
            written = Written.of(version)
            if written is not None and written.token == token:
                return self._written_before(doing, encoded, version, value, before)
        self._check_replaced(doing, encoded, before, replaces)
        if content_type is None and before and before[0].content_type != BASE64:
            content_type = before[0].content_type
        noted = {WRITE: Written(token, replaces).to_text()}
        with translated(doing):
            made = self._writes.set_secret(
                encoded,
                text,
                content_type=content_type,
                tags={**_tags(before, tags), **noted},
            ).properties
        after = self._versions(doing, encoded)
        known = {version.version for version in before} | {made.version}
        _check_alone(
            doing, made, [one for one in after if one.version not in known], current=after[:1]
        )
        with well_formed(doing, NAME, area=SecretsError):
            return version_of(made, is_current=after[:1] == [] or after[0].version == made.version)

    def _check_replaced(
        self, doing: str, encoded: str, before: Versions, replaces: str | None
    ) -> None:
        """Check that the version to be replaced is the current one, or that there is no secret."""
        if before and replaces is None:
            raise failure(f"{doing}: name: it is there", ErrorKind.ALREADY_EXISTS)
        if before:
            check_current(doing, before, str(replaces), parameter="replaces")
        elif self._deleted(doing, encoded) is not None:
            kind = ErrorKind.ALREADY_EXISTS if replaces is None else ErrorKind.PRECONDITION_FAILED
            raise failure(f"{doing}: name: it was removed; recover it first", kind)
        elif replaces is not None:
            raise failure(
                f"{doing}: replaces: {replaces!r} given, but there is no secret of this name",
                ErrorKind.NOT_FOUND,
            )

    def _written_before(
        self,
        doing: str,
        encoded: str,
        version: SecretProperties,
        value: bytes,
        versions: Versions,
    ) -> SecretVersion:
        """The version that was written with this token, when it has this value."""
        with translated(f"{doing}: comparing it with version {version.version}"):
            read = self._reads.get_secret(encoded, version.version)
        with well_formed(doing, NAME, area=SecretsError):
            if value_of(read.value, read.properties) != value:
                raise failure(
                    f"{doing}: token: version {version.version} was written with it, and has "
                    "another value; give a new token for a new value",
                    ErrorKind.ALREADY_EXISTS,
                )
            _check_alone(doing, version, _between(version, versions), current=versions[:1])
            return version_of(version, is_current=version is versions[0], among=versions)


def check_current(
    doing: str, versions: Versions, wanted: str, *, parameter: str = "version"
) -> None:
    """Compare the version that must be the current one.

    :param versions: the newest first.
    :raises SecretsError: ``precondition_failed``, naming the one that is.
    """
    if wanted != versions[0].version:
        raise failure(
            f"{doing}: {parameter}: {wanted!r} given, but {versions[0].version} is the current "
            "version",
            ErrorKind.PRECONDITION_FAILED,
        )


def _between(version: SecretProperties, versions: Versions) -> Versions:
    """Versions of others that came after the one that was replaced, and not after this one."""
    written = Written.of(version)
    after = None if written is None else written.after
    replaced = next((created(one) for one in versions if one.version == after), None)
    return [
        one
        for one in versions
        if one.version not in (version.version, after)
        and created(one) <= created(version)
        and (after is None or (replaced is not None and replaced < created(one)))
    ]


def _check_alone(
    doing: str, made: SecretProperties, others: Versions, *, current: Versions
) -> None:
    """Check that no other writer came in between; one that replaced the version made here did not.

    :raises SecretsError: ``precondition_failed``, naming what they wrote.
    """
    chain = {made.version}
    for one in sorted(others, key=created):
        written = Written.of(one)
        if written is not None and written.after in chain:
            chain.add(one.version)
    if foreign := [one.version or "" for one in others if one.version not in chain]:
        now = "".join(f"; {one.version} is the current version" for one in current)
        raise OverwrittenError(
            f"{doing}: version {', '.join(foreign)} was written by another at the same time, "
            f"{made.version} with the value given here{now}",
            written=made.version or "",
            others=tuple(foreign),
            is_current=not current or current[0].version == made.version,
            cloud=NAME,
        )


def _tags(before: Versions, tags: Mapping[str, str] | None) -> dict[str, str]:
    """The tags of a new version: a vault keeps them by version."""
    if not before:
        return tags_of_new(tags, LABELS, most=RULES.tag_count)
    there = tags_of(before[0])
    return there if tags is None else tags_to_be(tags, there, most=RULES.tag_count)
