"""What a storage account's own credentials are good for: its key, or a shared access signature.

No role counts for them. A key opens all of the account's data
(https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key); a signature says
in its own fields what it opens
(https://learn.microsoft.com/rest/api/storageservices/create-account-sas, create-service-sas).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from airflow_multicloud.adapters.answers import MALFORMED
from airflow_multicloud.adapters.permissions import Question, unasked
from airflow_multicloud.clouds.azure.credentials import CredentialForm
from airflow_multicloud.clouds.azure.identity.errors import translated
from airflow_multicloud.clouds.azure.storage_account import StorageAccount
from airflow_multicloud.errors import StorageError
from airflow_multicloud.ports.identity import Decision, PermissionCheck

_ACCOUNT = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Storage/storageAccounts/"
    r"([^/]+)(?:/.*)?",
    re.IGNORECASE,
)
_CONTAINERS: Final = "microsoft.storage/storageaccounts/blobservices/containers/"
_CALL: Final = "Get Account Information"


@dataclass(frozen=True, slots=True)
class _Need:
    """What a signature must have for an operation.

    :param level: signed resource type of an account's: ``c`` for containers, ``o`` for blobs.
    :param letters: signed permissions, any of which will do.
    """

    level: str
    letters: str


#: Operation below :data:`_CONTAINERS` → what it needs ("Specify permissions", and "Permissions for
#: calling data operations" in "Authorize with Microsoft Entra ID").
_NEEDS: Final[Mapping[str, _Need]] = MappingProxyType(
    {
        "read": _Need("c", "r"),
        "write": _Need("c", "cw"),
        "delete": _Need("c", "d"),
        "blobs/read": _Need("o", "r"),
        "blobs/write": _Need("o", "w"),
        "blobs/add/action": _Need("o", "aw"),
        "blobs/delete": _Need("o", "d"),
        "blobs/deleteblobversion/action": _Need("o", "x"),
        "blobs/move/action": _Need("o", "m"),
        "blobs/tags/read": _Need("o", "t"),
        "blobs/tags/write": _Need("o", "t"),
        "blobs/filter/action": _Need("o", "f"),
    }
)


def storage_checks(
    account: StorageAccount, conn_id: str, actions: Sequence[str], scope: str
) -> tuple[PermissionCheck, ...]:
    """What a connection may do by a key or a signature; anonymous ones are not known.

    :raises CredentialsError: when the account refuses the key.
    """
    found = _ACCOUNT.fullmatch(scope)
    if found is None or found[1].casefold() != str(account.service.account_name).casefold():
        why = (
            f"connection {conn_id!r} has credentials for the storage account "
            f"{account.service.account_name} only"
        )
        return unasked(actions, scope, why)
    if account.form is CredentialForm.ACCOUNT_KEY:
        return _by_key(account, conn_id, actions, scope)
    if account.form is CredentialForm.SHARED_ACCESS_SIGNATURE:
        fields = _fields(account)
        return tuple(_by_signature(fields, action, scope) for action in actions)
    return unasked(actions, scope, f"connection {conn_id!r} is anonymous: each container decides")


def _by_key(
    account: StorageAccount, conn_id: str, actions: Sequence[str], scope: str
) -> tuple[PermissionCheck, ...]:
    question = Question(resource=scope, asked=_CALL)
    try:
        with translated(f"asking whether the key of connection {conn_id!r} is good"):
            account.service.get_account_information()
    except StorageError as err:
        return tuple(question.unknown(action, err) for action in actions)
    return tuple(
        question.answer(action, Decision.ALLOW, "the account's key opens all of its data")
        if _need(action) is not None
        else _beyond(action, scope, "the account's key")
        for action in actions
    )


def _by_signature(fields: Mapping[str, str], action: str, scope: str) -> PermissionCheck:
    what = "the shared access signature"
    need = _need(action)
    if need is None:
        return _beyond(action, scope, what)

    why = _why_denied(fields, need)
    decision = Decision.DENY
    if why is None:
        why = _why_unsure(fields, action)
        decision = Decision.UNKNOWN
    if why is None:
        why = f"has it (its permissions: {fields['sp']})"
        decision = Decision.ALLOW
    return PermissionCheck(action=action, resource=scope, decision=decision, reason=f"{what} {why}")


def _why_denied(fields: Mapping[str, str], need: _Need) -> str | None:
    if "si" in fields:
        return None  # The policy that it refers to has its fields.
    if (why := _out_of_time(fields)) is not None:
        return why
    permissions = fields.get("sp", "")
    lacking = need.level == "c"
    if "ss" in fields:
        lacking = "b" not in fields["ss"] or need.level not in fields.get("srt", "")
    if lacking or not set(need.letters) & set(permissions):
        return f"does not have it (its permissions: {permissions or 'none'})"
    return None


def _why_unsure(fields: Mapping[str, str], action: str) -> str | None:
    if "si" in fields:
        return "refers to a stored access policy, which is not read"
    if action.casefold().endswith("/blobs/read") and "l" not in fields["sp"]:
        return "may read blobs, and may not list them"
    if "skoid" in fields:
        return "has it, as far as the user who made it still has"
    if "ss" not in fields:
        return "has it, for one container or blob, which it does not name"
    return None


def _need(action: str) -> _Need | None:
    name = action.casefold()
    return _NEEDS.get(name.removeprefix(_CONTAINERS)) if name.startswith(_CONTAINERS) else None


def _beyond(action: str, scope: str, what: str) -> PermissionCheck:
    """Operations that are not on data in containers."""
    if action.casefold().startswith(_CONTAINERS):
        decision, why = Decision.UNKNOWN, f"whether {what} is good for this is not known"
    else:
        decision, why = Decision.DENY, f"{what} is good for data in containers only"
    return PermissionCheck(action=action, resource=scope, decision=decision, reason=why)


def _fields(account: StorageAccount) -> dict[str, str]:
    """The signature's fields, without what signs them."""
    credential = account.service.credential
    text = getattr(credential, "signature", None) or urlsplit(account.service.url).query
    found = dict(parse_qsl(text.lstrip("?")))
    found.pop("sig", None)
    return found


def _out_of_time(fields: Mapping[str, str]) -> str | None:
    now = datetime.now(UTC)
    try:
        if (start := fields.get("st")) and _moment(start) > now:
            return f"is not good before {start}"
        if (end := fields.get("se")) and _moment(end) <= now:
            return f"was good until {end}"
    except MALFORMED:
        return "names a time that is none"
    return None


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
