"""The operations of a vault: https://learn.microsoft.com/rest/api/keyvault/secrets."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.azure.secrets.challenges import bad, disabled
from airflow_multicloud.testing.local_clouds.azure.secrets.faults import Faulty
from airflow_multicloud.testing.local_clouds.azure.secrets.vault import (
    KeptSecret,
    KeptVersion,
    Vault,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.secret_faults import SecretCall

_NAME: Final = re.compile(r"[0-9a-zA-Z-]{1,127}")
_VERSION: Final = re.compile(r"[0-9a-f]{32}")
_VALUE: Final = 25_600
_TAGS: Final = 15
_TAG: Final = 256
_CONTENT_TYPE: Final = 255
_PAGE: Final = 25
#: Entries of a page at most here, so that a few secrets fill some.
_SHORT_PAGE: Final = 3


def routes(state: State) -> list[Route]:
    """The operations served.

    :param state: where faults and settings are seeded.
    """
    # Imported here: only this process has the SDK.
    from azure.keyvault.secrets._generated import models
    from azure.keyvault.secrets._generated._operations import _operations as sdk

    vault = Vault(state)
    serving, met = _Serving(vault), Faulty(vault, state).met
    name, version = "{name}", "{version}"
    skip = frozenset({"$skiptoken"})
    read, tell, turn = SecretCall.READ, SecretCall.DESCRIBE, SecretCall.REMOVE
    set_secret = models.SecretSetParameters
    update = models.SecretUpdateParameters
    return [
        sdk_route(
            sdk.build_key_vault_get_secrets_request(maxresults=1),
            met(serving.list_secrets, SecretCall.LIST),
            also=skip,
        ),
        sdk_route(
            sdk.build_key_vault_get_secret_versions_request(name, maxresults=1),
            met(serving.list_versions, tell),
            also=skip,
        ),
        *(
            sdk_route(sdk.build_key_vault_get_secret_request(name, one), met(serving.get, read))
            for one in ("", version)
        ),
        sdk_route(
            sdk.build_key_vault_set_secret_request(name),
            met(serving.set, SecretCall.WRITE),
            body=set_secret,
        ),
        sdk_route(
            sdk.build_key_vault_update_secret_request(name, version),
            met(serving.update, lambda call: SecretCall.TAG if "tags" in call.json else turn),
            body=update,
            operation="update",
        ),
        sdk_route(sdk.build_key_vault_delete_secret_request(name), met(serving.delete, turn)),
        sdk_route(
            sdk.build_key_vault_get_deleted_secret_request(name), met(serving.get_deleted, tell)
        ),
        sdk_route(
            sdk.build_key_vault_recover_deleted_secret_request(name), met(serving.recover, turn)
        ),
        sdk_route(sdk.build_key_vault_purge_deleted_secret_request(name), met(serving.purge, None)),
    ]


class _Serving:
    """The operations; the vault's lock is held by who calls them."""

    def __init__(self, vault: Vault) -> None:
        from azure.keyvault.secrets._generated import models

        self._vault = vault
        self._models = models

    def list_secrets(self, call: Call) -> Answer:
        items = [
            {**self._told(call, kept, kept.versions[-1]), "id": _id(call, kept)}
            for kept in self._vault.there()
        ]
        return self._page(call, items)

    def list_versions(self, call: Call) -> Answer:
        kept = self._vault.found(call.variables["name"])
        # Not in the order of time: by their ids.
        versions = sorted(kept.versions, key=lambda version: version.id)
        return self._page(call, [self._told(call, kept, one) for one in versions])

    def get(self, call: Call) -> Answer:
        wanted = call.variables.get("version", "")
        if wanted and not _VERSION.fullmatch(wanted):
            raise bad(f"The secret version {wanted} is invalid.")
        kept = self._vault.found(call.variables["name"])
        version = kept.found(wanted)
        if not _is_enabled(version):
            raise disabled()
        return self._bundle(call, kept, version, value=version.value)

    def set(self, call: Call) -> Answer:
        body = call.json
        _check_name(call.variables["name"])
        if not 0 < len(body["value"].encode()) <= _VALUE:
            raise bad(f"The secret value must have 1 to {_VALUE} bytes.")
        _check_given(body)
        kept, version = self._vault.add(call.variables["name"], body["value"], _given(body))
        return self._bundle(call, kept, version, value=version.value)

    def update(self, call: Call) -> Answer:
        body = call.json
        _check_given(body)
        kept = self._vault.found(call.variables["name"])
        version = kept.found(call.variables["version"])
        given = _given(body)
        attributes = {**version.given.get("attributes", {}), **given.get("attributes", {})}
        version.given = {**version.given, **given, "attributes": attributes}
        version.updated += 1
        return self._bundle(call, kept, version)

    def delete(self, call: Call) -> Answer:
        return self._deleted(call, self._vault.delete(call.variables["name"]))

    def get_deleted(self, call: Call) -> Answer:
        return self._deleted(call, self._vault.found_deleted(call.variables["name"]))

    def recover(self, call: Call) -> Answer:
        kept = self._vault.recover(call.variables["name"])
        return self._bundle(call, kept, kept.versions[-1])

    def purge(self, call: Call) -> Answer:
        self._vault.purge(call.variables["name"])
        return Answer(status=HTTPStatus.NO_CONTENT)

    def _bundle(self, call: Call, kept: KeptSecret, version: KeptVersion, **more: object) -> Answer:
        body = {**more, **self._told(call, kept, version)}
        return conforming(self._models.SecretBundle, body)

    def _deleted(self, call: Call, kept: KeptSecret) -> Answer:
        body = self._told(call, kept, kept.versions[-1])
        if kept.deleted is not None:
            body |= {
                "recoveryId": f"{call.origin}/deletedsecrets/{kept.name}",
                "deletedDate": kept.deleted,
                "scheduledPurgeDate": kept.purged_at,
            }
        return conforming(self._models.DeletedSecretBundle, body)

    def _told(self, call: Call, kept: KeptSecret, version: KeptVersion) -> dict[str, Any]:
        told = {key: value for key, value in version.given.items() if key != "attributes"}
        attributes = {
            "enabled": True,
            **version.given.get("attributes", {}),
            "created": version.created,
            "updated": version.updated,
            **self._vault.attributes,
        }
        if self._vault.is_managed(kept):
            # "If this is a secret backing a certificate, then managed will be true" (SecretItem).
            told |= {"managed": True, "contentType": "application/x-pkcs12"}
        return {**told, "id": f"{_id(call, kept)}/{version.id}", "attributes": attributes}

    def _page(self, call: Call, items: Sequence[Mapping[str, Any]]) -> Answer:
        asked = call.query.get("maxresults", str(_PAGE))
        if not asked.isdecimal() or not 0 < int(asked) <= _PAGE:
            raise bad(f"maxresults must be from 1 to {_PAGE}.")
        start = _start(call.query.get("$skiptoken"))
        end = start + min(int(asked), _SHORT_PAGE)
        for item in items[start:end]:
            conforming(self._models.SecretItem, item)
        link = None
        if end < len(items):
            token = base64.urlsafe_b64encode(str(end).encode()).decode()
            version = call.query["api-version"]
            link = f"{call.origin}{call.request.path}?api-version={version}&$skiptoken={token}"
        return Answer(body={"value": list(items[start:end]), "nextLink": link})


def _id(call: Call, kept: KeptSecret) -> str:
    return f"{call.origin}/secrets/{kept.name}"


def _is_enabled(version: KeptVersion) -> bool:
    return bool(version.given.get("attributes", {}).get("enabled", True))


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("contentType", "tags", "attributes")
    return {key: body[key] for key in kept if body.get(key) is not None}


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise bad(f"The request URI contains an invalid name: {name}")


def _check_given(body: Mapping[str, Any]) -> None:
    tags = body.get("tags") or {}
    if len(tags) > _TAGS:
        raise bad(f"Number of tags must not exceed {_TAGS}.")
    if any(not 0 < len(key) <= _TAG or len(value) > _TAG for key, value in tags.items()):
        raise bad(f"Tags must have names and values of at most {_TAG} characters.")
    if len(body.get("contentType") or "") > _CONTENT_TYPE:
        raise bad(f"The content type must have at most {_CONTENT_TYPE} characters.")


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except ValueError:
        raise bad("The skip token is invalid.") from None
