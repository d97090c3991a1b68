"""Full resource names, and where each is asked what the caller may do to it.

https://cloud.google.com/iam/docs/full-resource-names. Where a kind of resource has no permissions
of its own in the APIs used here, its project is asked, which passes its grants down.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from airflow_multicloud.adapters.permissions import refused, shown
from airflow_multicloud.clouds.gcp import NAME

# An object's name may have blanks and line ends.
_FULL_NAME = re.compile(
    r"//([a-z0-9-]+)\.googleapis\.com/(\S+|projects/_/buckets/[^/\s]+/objects/.+)", re.DOTALL
)
_LONGEST = 2048
_PROJECT = re.compile(r"projects/([A-Za-z0-9.:-]+)(?:/.*)?")
_CONTAINER = re.compile(r"(projects|folders|organizations)/[A-Za-z0-9.:-]+")
_BUCKET = re.compile(r"projects/_/buckets/([^/]+)(/(?:objects|managedFolders)/.+)?", re.DOTALL)
_SECRET = re.compile(r"(projects/[^/]+/secrets/[^/*]+)(?:/versions/[^/]+)?")
_ACCOUNT = re.compile(r"projects/[^/]+/serviceAccounts/[^/{]+")
#: "The supported permissions", in storage.buckets.testIamPermissions of the discovery document
#: storage.v1: of others it does not say that the caller lacks them.
_TOLD_BY_STORAGE = re.compile(r"storage\.(?:buckets|objects|managedFolders)\..+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to ask.

    :param service: as ``<service>.endpoint`` names it in a connection.
    :param endpoint: Google's own.
    :param call: the method's id in the discovery document.
    :param path: of the method.
    :param what: the resource that is asked, in words.
    :param by_query: whether the permissions stand in the query, and not in a body.
    :param unsure: why the resource may grant more than the place that is asked; ``None`` when the
        resource itself is asked.
    :param told: the permissions that it knows; all of them for ``None``.
    """

    service: str
    endpoint: str
    call: str
    path: str
    what: str
    by_query: bool = False
    unsure: str | None = None
    told: re.Pattern[str] | None = None


def target_of(resource: str) -> Target | None:
    """Where a resource's permissions are asked; ``None`` where its name has no project.

    :param resource: its full name.
    :raises CredentialsError: kind ``invalid_argument`` for what is none.
    """
    found = _FULL_NAME.fullmatch(resource) if isinstance(resource, str) else None
    if found is None or len(resource) > _LONGEST:
        raise refused(
            "resource",
            f"{shown(resource)} given; expected a full resource name, as "
            "//storage.googleapis.com/projects/_/buckets/NAME or "
            "//cloudresourcemanager.googleapis.com/projects/ID",
            NAME,
        )
    service, name = found.groups()
    if service == "cloudresourcemanager" and _CONTAINER.fullmatch(name):
        return _container(name)
    if service == "storage" and (bucket := _BUCKET.fullmatch(name)):
        return _bucket(bucket[1], inner=bool(bucket[2]))
    if service == "secretmanager" and (secret := _SECRET.fullmatch(name)):
        return Target(
            service=service,
            endpoint="https://secretmanager.googleapis.com",
            call="secretmanager.projects.secrets.testIamPermissions",
            path=f"/v1/{quote(secret[1])}:testIamPermissions",
            what=secret[1],
        )
    if service == "iam" and _ACCOUNT.fullmatch(name):
        return Target(
            service=service,
            endpoint="https://iam.googleapis.com",
            call="iam.projects.serviceAccounts.testIamPermissions",
            path=f"/v1/{quote(name)}:testIamPermissions",
            what=name,
        )
    project = _PROJECT.fullmatch(name)
    if project is None:
        return None
    why = (
        f"a grant on {name} itself, or one with a condition on its name, is not seen there: it is "
        "asked of its project"
    )
    return _container(f"projects/{project[1]}", unsure=why)


def project_of_new(project: str, what: str) -> Target:
    """Where to ask for permissions that a new resource will inherit.

    :param what: that is not there yet, in words.
    """
    why = f"{what} is not there, and may grant it to whoever makes it"
    return _container(f"projects/{project}", unsure=why)


def _container(name: str, *, unsure: str | None = None) -> Target:
    kind = name.partition("/")[0]
    return Target(
        service="cloudresourcemanager",
        endpoint="https://cloudresourcemanager.googleapis.com",
        call=f"cloudresourcemanager.{kind}.testIamPermissions",
        path=f"/v3/{quote(name, safe='/:')}:testIamPermissions",
        what=name,
        unsure=unsure,
    )


def _bucket(name: str, *, inner: bool) -> Target:
    why = "a grant on a folder in the bucket, or one with a condition on names, is not seen there"
    return Target(
        service="gcs",
        endpoint=STORAGE,
        call="storage.buckets.testIamPermissions",
        path=f"/storage/v1/b/{quote(name, safe='')}/iam/testPermissions",
        what=f"the bucket {name}",
        by_query=True,
        unsure=why if inner else None,
        told=_TOLD_BY_STORAGE,
    )


#: https://cloud.google.com/storage/docs/request-endpoints
STORAGE: Final = "https://storage.googleapis.com"
