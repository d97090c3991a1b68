"""Airflow's connections, variables and config out of the secret stores of several clouds.

It is named in Airflow's configuration::

    [secrets]
    backend = airflow_multicloud.secrets_backend.MultiCloudSecretsBackend
    backend_kwargs = {"stores": ["aws_default", "google_cloud_default"]}
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from airflow.secrets import BaseSecretsBackend

from airflow_multicloud.core.secret_lookup.asked_store import is_asking
from airflow_multicloud.core.secret_lookup.lookup import Found
from airflow_multicloud.core.secret_lookup.options import LookupOptions, OnDisagreement
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.beside_loop import beside_loop
from airflow_multicloud.opening.secret_lookup import shared_lookup
from airflow_multicloud.opening.secret_lookup_apart import find_apart, is_airflow_loading
from airflow_multicloud.text import given_text, printable

_log = logging.getLogger(__name__)

#: Between a team's name and an id, as Airflow's own backends have it.
_TEAM_MARK = "--"


class MultiCloudSecretsBackend(BaseSecretsBackend):
    """Look connections, variables and config up in an ordered list of clouds.

    Airflow asks this backend first, then the environment, then its database. A store that hangs or
    fails costs a bounded time: the next one is asked as well after ``hedge_after``, and one that
    failed twice in a row is left alone for ``retry_after``.

    A secret's name is its prefix, a slash and the id: ``airflow/connections/warehouse``. A
    connection is a URI or JSON, as Airflow has both.

    :param stores: connection ids, in order. They are read from variables of the environment
        (``AIRFLOW_CONN_…``) only.
    :param connections_prefix: of connections; ``None``: they are not looked up.
    :param variables_prefix: of variables, likewise.
    :param config_prefix: of options of the configuration that end with ``_secret``, likewise.
    :param on_disagreement: whose value counts where stores differ: ``first`` (in order, of those
        that answer soonest), ``newest`` (written last), or ``refuse`` (nobody's).
    :param timeout: seconds after which a store that has not answered counts as out of reach.
    :param hedge_after: seconds after which the next store is asked as well (``first`` only).
    :param cache_seconds: for how long an answer is kept in the process, also that there is none.
    :param cache_size: how many answers are kept.
    :param retry_after: seconds for which a store that failed twice in a row is not asked.
    :raises SecretsError: ``invalid_argument``, naming the parameter.
    """

    def __init__(
        self,
        *,
        stores: Sequence[str],
        connections_prefix: str | None = "airflow/connections",
        variables_prefix: str | None = "airflow/variables",
        config_prefix: str | None = "airflow/config",
        on_disagreement: str = "first",
        timeout: float = 5.0,
        hedge_after: float = 0.5,
        cache_seconds: float = 30.0,
        cache_size: int = 1000,
        retry_after: float = 30.0,
    ) -> None:
        super().__init__()
        self._stores = _checked(stores)
        self._prefixes = {
            "connection": _prefix("connections_prefix", connections_prefix),
            "variable": _prefix("variables_prefix", variables_prefix),
            "config": _prefix("config_prefix", config_prefix),
        }
        self._options = LookupOptions(
            on_disagreement=_policy(on_disagreement),
            timeout=_number("timeout", timeout),
            hedge_after=_number("hedge_after", hedge_after),
            cache_seconds=_number("cache_seconds", cache_seconds),
            cache_size=int(_number("cache_size", cache_size)),
            retry_after=_number("retry_after", retry_after),
        )

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        """A connection as it is stored; ``None`` when no store that answered has it.

        :param conn_id: of Airflow.
        :param team_name: whose connection is looked up first, in deployments of several teams.
        :raises SecretRefusedError: stores differ, and that is refused.
        """
        if conn_id in self._stores:
            return None  # It is what the stores are reached by.
        found = self._find("connection", conn_id, team_name)
        return found if found and found.strip() else None

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        """A variable; ``None`` when no store that answered has it.

        :param key: of Airflow.
        :param team_name: whose variable is looked up first.
        :raises SecretRefusedError: stores differ, and that is refused.
        """
        return self._find("variable", key, team_name)

    def get_config(self, key: str) -> str | None:
        """An option of the configuration; ``None`` when no store has it.

        :param key: what the option that ends with ``_secret`` says.
        :raises SecretsError: ``integrity`` when stores differ and that is refused; ``unavailable``
            when a store gave no answer or did not give it out: Airflow must not start with a
            default instead.
        """
        return self._find("config", key, None)

    def deserialize_connection(self, conn_id: str, value: str) -> Any:
        """The connection that a value says.

        :param conn_id: of Airflow.
        :param value: a URI or JSON.
        :raises SecretsError: ``invalid_argument`` for anything else, which is not shown.
        """
        try:
            return super().deserialize_connection(conn_id, value)
        except Exception as err:  # noqa: BLE001 - whatever it is, its text may hold the value
            kind = type(err).__name__
        malformed = SecretsError(
            f"connection {conn_id!r}: what the stores have is neither a URI nor JSON of a "
            f"connection ({kind}); its value is not shown",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
        _log.error("%s", malformed)
        raise malformed

    def _find(self, what: str, key: str, team_name: str | None) -> str | None:
        prefix = self._prefixes[what]
        if prefix is None or is_asking() or not key or _is_ambiguous(key):
            return None
        if team_name:
            # An id of another team's would have the mark in it.
            found = self._value(what, f"{prefix}{team_name}{_TEAM_MARK}{key}")
            if found is not None:
                return found
        return self._value(what, f"{prefix}{key}")

    def _value(self, what: str, name: str) -> str | None:
        try:
            found = self._looked_up(name)
        except SecretsError as err:
            failure = err
        else:
            return self._text_of(what, name, found)
        # Airflow may tell of it in debug logs only, and go on with another backend.
        _log.error("%s", failure)
        if what == "config" or failure.kind is not ErrorKind.INTEGRITY:
            raise failure
        # Imported here: Airflow makes this backend while it loads its configuration.
        from airflow_multicloud.opening.secret_refusal import refusal_of

        raise refusal_of(failure)

    def _text_of(self, what: str, name: str, found: Found) -> str | None:
        if found.value is None:
            if not found.is_certain:
                self._tell_of_doubt(what, name, found)
            return None
        try:
            return found.value.value.decode()
        except UnicodeDecodeError:
            _log.warning("%s: its value is not text, so it is not used", printable(name))
            return None

    def _tell_of_doubt(self, what: str, name: str, found: Found) -> None:
        message = f"{name}: no store has given it"
        if found.withheld:
            message += f", {', '.join(found.withheld)} had it and did not give it out"
        if found.silent:
            message += f", {', '.join(found.silent)} gave no answer"
        if what == "config":
            raise SecretsError(message, kind=ErrorKind.UNAVAILABLE)
        _log.warning("%s; Airflow looks elsewhere", printable(message))

    def _looked_up(self, name: str) -> Found:
        lookup = shared_lookup(self._stores, self._options)
        if not is_airflow_loading():
            return lookup.kept_or(name, lambda: beside_loop(partial(lookup.find, name)))
        return lookup.kept_or(name, lambda: find_apart(self._stores, self._options, name))


def _checked(stores: object) -> tuple[str, ...]:
    found = texts(
        stores,
        "stores",
        what="connection ids",
        error=SecretsError,
        if_empty="give at least one",
    )
    if len({*found}) < len(found):
        raise SecretsError(
            f"stores: {', '.join(found)} given, expected each connection once",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return found


def _prefix(parameter: str, given: object) -> str | None:
    """The prefix of an id; an empty one adds nothing."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise SecretsError(
            f"{parameter}: {given_text(given)} given, expected a text or null",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return f"{given.rstrip('/')}/" if given.strip("/") else ""


def _number(parameter: str, given: object) -> float:
    """A number, also as a text: of a variable ``AIRFLOW__SECRETS__BACKEND_KWARG__…``."""
    try:
        number = float(given) if isinstance(given, int | float | str) else math.nan
    except ValueError:
        number = math.nan
    if math.isfinite(number) and not isinstance(given, bool):
        return number
    raise SecretsError(
        f"{parameter}: {given_text(given)} given, expected a number",
        kind=ErrorKind.INVALID_ARGUMENT,
    )


def _policy(given: object) -> OnDisagreement:
    found = next((one for one in OnDisagreement if one == given), None)
    if found is None:
        raise SecretsError(
            f"on_disagreement: {given_text(given)} given, "
            f"expected one of {', '.join(OnDisagreement)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return found


def _is_ambiguous(key: str) -> bool:
    """Whether an id could be another team's, in a deployment that has teams."""
    if _TEAM_MARK not in key:
        return False
    # Imported here: Airflow makes this backend while it loads its configuration.
    from airflow.providers.common.compat.sdk import conf

    if not conf.getboolean("core", "multi_team", fallback=False):
        return False
    _log.warning(
        "%s: it has %r in it, which stands between a team and an id; it is not looked up",
        printable(key),
        _TEAM_MARK,
    )
    return True
