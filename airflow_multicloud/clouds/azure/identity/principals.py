"""Whom Azure says that a connection belongs to."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from airflow_multicloud.adapters.answers import MALFORMED, not_an_answer
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.identity.client import IdentityBase
from airflow_multicloud.clouds.azure.identity.errors import manager_translated, translated
from airflow_multicloud.clouds.azure.storage_account import StorageAccount
from airflow_multicloud.errors import CredentialsError
from airflow_multicloud.ports.identity import Principal

#: "Access token claims reference" of the Microsoft identity platform: the object in the directory,
#: else the application, which has one name in each version of tokens.
_NAMES = ("oid", "appid", "azp")


class Principals(IdentityBase):
    """The port's ``who_am_i``."""

    def who_am_i(self) -> Principal:
        """The storage account, or the subscription with the owner of the connection's token.

        A storage account does not say which user or application a token belongs to, so the
        principal of a ``wasb`` connection is the form of the credentials (account key, shared
        access signature, Microsoft Entra token, anonymous), never a part of them. Of an ``azure``
        connection it is the object id in Microsoft Entra; the account is its subscription, or the
        tenant where it names none.

        :raises CredentialsError: the credentials are refused. (A connection of another type
            is, when the hook is made.)
        :raises StorageError: they are good but may not ask ("Get Account Information"), or the
            account can't be reached.
        """
        if self.account is not None:
            return self._of_storage(self.account)
        claims = self._claims()
        subscription = self._azure.resource_manager.subscription_id
        return Principal(account_id=subscription or str(claims["tid"]), principal=_owner(claims))

    def _of_storage(self, account: StorageAccount) -> Principal:
        with translated(f"asking connection {self.conn_id!r} who it is"):
            account.service.get_account_information()
        return Principal(account_id=str(account.service.account_name), principal=str(account.form))

    def _object_id(self) -> str:
        """The caller's id in Microsoft Entra, which role and deny assignments name."""
        return str(self._claims().get("oid") or "")

    def _claims(self) -> Mapping[str, Any]:
        """What Microsoft Entra says in a token of the connection's; Azure checks its signature."""
        doing = f"asking Microsoft Entra for a token of connection {self.conn_id!r}"
        manager = self._azure.resource_manager
        with manager_translated(doing):
            token = manager.require_credential().get_token(*manager.scopes).token
        try:
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            _owner(claims)
            str(claims["tid"])
        except MALFORMED as err:
            # Unchained: the cause may hold a part of the token.
            why = f"the token is none of Microsoft Entra's: {type(err).__name__}"
            raise not_an_answer(doing, NAME, why, area=CredentialsError) from None
        found: Mapping[str, Any] = claims
        return found


def _owner(claims: Mapping[str, Any]) -> str:
    return next(str(claims[name]) for name in _NAMES if claims.get(name))
