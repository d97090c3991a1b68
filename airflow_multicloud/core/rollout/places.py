"""Where a deployment's files lie: below the prefixes that its targets name.

``<artifacts>/<deployment>/artifacts/<sha256>/<file name>`` and
``<artifacts>/<deployment>/revisions/<revision>-<digits>.json``. Nothing of a key is taken from
outside without having been checked here.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from airflow_multicloud import known_clouds
from airflow_multicloud.core.rollout.inputs import refused, text
from airflow_multicloud.core.rollout.names import check_id
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.locations import Location, parse_location

#: What a shell, a URL and every store take as it is; a segment that begins with a dot climbs, or is
#: this package's own.
_PREFIX = re.compile(r"(?:[A-Za-z0-9_=+@,-][A-Za-z0-9._=+@,-]*/)*")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,46}")
_LONGEST_PREFIX = 400
#: Digits of a revision's digest in a key.
DIGITS = 16
_RECORD = re.compile(rf"({_REVISION.pattern})-([0-9a-f]{{{DIGITS}}})\.json")


def is_uri(artifact: str) -> bool:
    """Whether an artifact lies in an object store rather than on this machine."""
    return "://" in artifact


def check_artifact(given: object, parameter: str) -> str:
    """An artifact's URI or path, of which the file name can stand in a key.

    :raises DeploymentError: ``invalid_argument``.
    """
    artifact = text(parameter, str(given) if isinstance(given, PurePath) else given)
    if is_uri(artifact) and _location(artifact, parameter).is_prefix:
        raise refused(parameter, artifact, "one object, not a prefix")
    check_file_name(file_name_of(artifact), parameter)
    return artifact


def check_artifacts(given: object, parameter: str) -> str:
    """The URI of a prefix under which a deployment's files may be put.

    :raises DeploymentError: ``invalid_argument``.
    """
    uri = text(parameter, given)
    if not is_uri(uri):
        raise refused(parameter, uri, "a URI: scheme://conn_id@bucket/prefix/")
    key = _location(uri, parameter).key
    if not _PREFIX.fullmatch(key) or len(key) > _LONGEST_PREFIX:
        raise DeploymentError(
            f"{parameter}: {uri} given, expected a prefix that ends with a slash, of at most "
            f"{_LONGEST_PREFIX} letters, digits and ._=+@,- in segments that don't begin with a "
            "dot",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return uri


def _location(uri: str, parameter: str) -> Location:
    try:
        location = parse_location(uri, parameter=parameter)
        known_clouds.cloud_of_scheme(location.scheme, parameter=parameter)
    except CloudError as err:
        raise DeploymentError(str(err), kind=err.kind) from err
    return location


def check_revision(given: object, parameter: str) -> str:
    """A revision's name.

    :raises DeploymentError: ``invalid_argument``.
    """
    if not isinstance(given, str) or not _REVISION.fullmatch(given):
        allowed = "at most 47 letters, digits and ._-, the first a letter or digit"
        raise refused(parameter, given, allowed)
    return given


def check_sha256(given: object, parameter: str) -> str:
    """A SHA-256 in hex.

    :raises DeploymentError: ``invalid_argument``.
    """
    if not isinstance(given, str) or not _SHA256.fullmatch(given):
        raise refused(parameter, given, "64 hexadecimal digits, in lower case")
    return given


def check_file_name(given: str, parameter: str) -> str:
    """The name of an artifact's file.

    :raises DeploymentError: ``invalid_argument``.
    """
    if not _FILE_NAME.fullmatch(given):
        allowed = "a file name of at most 128 letters, digits and ._-; rename it"
        raise refused(f"{parameter}: file name", given, allowed)
    return given


def file_name_of(artifact: str) -> str:
    """The last segment of an artifact's path or URI."""
    return artifact.rpartition("/")[2]


def artifact_name(deployment_id: str, sha256: str, file_name: str) -> str:
    """The artifact's name below ``artifacts``.

    :raises DeploymentError: ``invalid_argument`` when a part of it can't stand in a key.
    """
    check_id(deployment_id, "deployment_id")
    check_file_name(file_name, "artifact")
    check_sha256(sha256, "artifact: sha256")
    return f"{deployment_id}/artifacts/{sha256}/{file_name}"


def revisions_prefix(deployment_id: str) -> str:
    """The prefix of the records of revisions, below ``artifacts``."""
    check_id(deployment_id, "deployment_id")
    return f"{deployment_id}/revisions/"


def record_name(deployment_id: str, revision: str, digest: str) -> str:
    """The name of a revision's record, below ``artifacts``."""
    check_revision(revision, "revision")
    return f"{revisions_prefix(deployment_id)}{revision}-{digest[:DIGITS]}.json"


def read_record_name(file_name: str) -> tuple[str, str] | None:
    """The revision and digits of a record's file name; ``None`` for what is no such name."""
    found = _RECORD.fullmatch(file_name)
    return (found[1], found[2]) if found else None
