"""What a request is called by its cloud's own description of the API, whoever made it.

Nothing here knows what this package means to call: S3's names are those of botocore's model, Cloud
Storage's those of Google's discovery document, Azure's those of the REST reference.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.loaders import Loader
from botocore.model import ServiceModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.faults.proxy import Seen

#: ``/storage/v1/b`` names no bucket.
_IN_PROJECT = 4


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str
    path: re.Pattern[str]
    fixed: frozenset[tuple[str, str]]
    required: frozenset[str]


def s3_call(seen: Seen) -> str:
    """``s3:PutObject``; of operations on one path the one that is told in most detail.

    S3 has other actions for a version that is named: ``s3:GetObject?versionId``.
    """
    path, query = _split(seen.target)
    if (seen.method, path) == ("POST", "/"):  # STS has no paths.
        return f"sts:{dict(parse_qsl(seen.head.decode()))['Action']}"
    told = query.keys() | seen.named
    fitting = [
        one
        for one in _s3_operations(seen.method)
        if one.path.fullmatch(path) and one.fixed <= {*query.items()} and one.required <= told
    ]
    best = max(fitting, key=lambda one: (len(one.fixed), len(one.required)))
    return f"s3:{best.name}{'?versionId' if 'versionId' in query else ''}"


@cache
def _s3_operations(method: str) -> tuple[_Operation, ...]:
    # Read by itself: clients change the paths of what they have read.
    model = ServiceModel(Loader().load_service_model("s3", "service-2"), "s3")
    found = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.http["method"] != method or operation.deprecated:
            continue
        path, _, query = operation.http["requestUri"].partition("?")
        members = operation.input_shape.members if operation.input_shape else {}
        required = {
            members[member].serialization["name"]
            for member in (operation.input_shape.required_members if members else ())
            if members[member].serialization.get("location") in {"querystring", "header"}
        }
        fixed = frozenset(parse_qsl(query, keep_blank_values=True)) - {("x-id", name)}
        pattern = re.sub(r"\\\{Key\\\+\\\}", ".+", re.escape(path))
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern)
        found.append(_Operation(name, re.compile(f"{pattern}/?"), fixed, frozenset(required)))
    return tuple(found)


def storage_call(seen: Seen) -> str:
    """``storage.objects.get``, also of a request in the form of the XML API."""
    path, _ = _split(seen.target)
    for name, verb, pattern in _storage_methods():
        if verb == seen.method and pattern.fullmatch(path):
            return name
    # https://cloud.google.com/storage/docs/xml-api/reference-methods
    named = {
        "GET": "storage.objects.get",
        "HEAD": "storage.objects.get",
        "PUT": "storage.objects.insert",
    }
    assert re.fullmatch(r"/[^/]+/.+", path), path
    return named[seen.method]


@cache
def _storage_methods() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    documents = files("googleapiclient.discovery_cache").joinpath("documents")
    document = json.loads(documents.joinpath("storage.v1.json").read_text())
    return tuple(_methods(document, document["servicePath"]))


def _methods(resource: Mapping[str, Any], base: str) -> Iterator[tuple[str, str, re.Pattern[str]]]:
    for method in resource.get("methods", {}).values():
        paths = [f"/{base}{method['path']}"]
        paths += [
            one["path"] for one in method.get("mediaUpload", {}).get("protocols", {}).values()
        ]
        for path in paths:
            # Objects' names have their slashes escaped; what was escaped is told apart by it.
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
            yield method["id"], method["httpMethod"], re.compile(pattern)
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner, base)


#: https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
_BLOB = {
    ("GET", "container", "list"): "List Blobs",
    ("GET", "container", ""): "Get Container Properties",
    ("HEAD", "container", ""): "Get Container Properties",
    ("PUT", "container", ""): "Create Container",
    ("GET", "account", "properties"): "Get Account Information",
    ("HEAD", "account", "properties"): "Get Account Information",
    ("GET", "", "list"): "List Containers",
    ("GET", "", ""): "Get Blob",
    ("HEAD", "", ""): "Get Blob Properties",
    ("PUT", "", ""): "Put Blob",
    ("PUT", "", "block"): "Put Block",
    ("PUT", "", "blocklist"): "Put Block List",
    ("GET", "", "blocklist"): "Get Block List",
    ("GET", "", "tags"): "Get Blob Tags",
    ("PUT", "", "tags"): "Set Blob Tags",
    ("DELETE", "", ""): "Delete Blob",
}


def blob_call(seen: Seen) -> str:
    """``Put Block List``."""
    _, query = _split(seen.target)
    return _BLOB[seen.method, query.get("restype", ""), query.get("comp", "")]


def _split(target: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(target)
    return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))


def s3_resource(seen: Seen) -> str:
    """The ARN of the bucket, or of the object in it."""
    return f"arn:aws:s3:::{unquote(_split(seen.target)[0]).strip('/')}"


def storage_resource(seen: Seen) -> str:
    """The full name of the bucket; creating one is the project's."""
    parts = unquote(_split(seen.target)[0]).removeprefix("/upload").split("/")
    api = parts[1] == "storage"
    if api and len(parts) == _IN_PROJECT:
        return "//cloudresourcemanager.googleapis.com/projects/local"
    return f"//storage.googleapis.com/projects/_/buckets/{parts[4] if api else parts[1]}"


def blob_resource(seen: Seen) -> str:
    """The container's place in its account; Azurite's paths begin with the account."""
    _, account, container, *_ = (*_split(seen.target)[0].split("/"), "")
    if not container:
        return f"/storageAccounts/{account}"
    return f"/storageAccounts/{account}/blobServices/default/containers/{container}"


CALLS = {"aws": s3_call, "gcp": storage_call, "azure": blob_call}
RESOURCES = {"aws": s3_resource, "gcp": storage_resource, "azure": blob_resource}
