"""Which calls the verbs of a port make, and what they must be allowed: told without making any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.errors import CredentialsError, ErrorKind


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """A key of a cloud's conditions, and the value that it has in a request.

    :param key: ``aws:RequestTag/team``.
    """

    key: str
    value: str

    def __str__(self) -> str:
        """As tables show it."""
        return f"{self.key} = {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """A call that a cloud's hook makes.

    :param call: ``s3:PutObject``, ``storage.objects.insert``, ``Put Blob``; ``ec2:RunInstances``,
        ``compute.instances.insert``, ``PUT Microsoft.Compute/…``.
    :param permissions: what the caller must be allowed; none for a call that everybody may make.
    :param resource: the kind of resource it is about, a word of the service's :class:`CallTable`.
    :param without: what is lost when it is refused; empty for a call that must not be.
    :param when: the name of a fact, of the connection or of the place, without which it is not
        made; empty for a call that always is.
    :param conditions: what the cloud's conditions may ask for and every such call has.
    :param labelled: beginnings of further keys: where the fact ``label`` is known, ``name=value``,
        the key that ends with the name has the value in every such call.
    """

    call: str
    permissions: tuple[str, ...]
    resource: str = ""
    without: str = ""
    when: str = ""
    conditions: tuple[Condition, ...] = ()
    labelled: tuple[str, ...] = ()


def _nothing(_facts: Mapping[str, str]) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class CallTable:
    """What one service of a cloud calls; ``clouds.<cloud>.<service>.calls.TABLE``.

    :param calls: use → calls. A use is a verb of the port, or ``verb:variant`` where what is asked
        for decides (``get_object:version``). A use without calls costs none on this cloud.
    :param resource: gives the native name of a kind of resource (an ARN, a full resource name, an
        Azure resource id), from facts of the place (those of
        :class:`~airflow_multicloud.core.preflight.needs.Need`) and what
        ``clouds.<cloud>.identity.facts`` says of the connection. What is not known there stands in
        braces: ``{subscription}``. Where the cloud's policies have patterns, it is one.
    :param implied: names of facts that follow from these on this cloud: what an image's name says
        of how it is looked up, say.
    """

    calls: Mapping[str, tuple[ApiCall, ...]]
    resource: Callable[[str, Mapping[str, str]], str]
    implied: Callable[[Mapping[str, str]], Iterable[str]] = _nothing

    def made(self, use: str, facts: Mapping[str, str]) -> tuple[ApiCall, ...]:
        """The calls of a use that are made where these facts are so.

        :raises CredentialsError: kind ``unsupported`` for a use that is not in the table: that of
            a cloud from outside may be older than this package.
        """
        if use not in self.calls:
            raise CredentialsError(
                f"this cloud's table of calls does not know {use!r}", kind=ErrorKind.UNSUPPORTED
            )
        known = {"", *facts, *self.implied(facts)}
        return tuple(call for call in self.calls[use] if call.when in known)


#: Stands in resources where the account (the project) is, which only the identity can tell.
ACCOUNT = "{account}"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One permission on one resource, both as the cloud names them.

    :param conditions: under which alone it is needed; all of them are fulfilled.
    """

    permission: str
    resource: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    """A policy or role in its cloud's own form; ``clouds.<cloud>.identity.policies`` writes them.

    :param granted_on: the resources that it is to be granted on; empty where the document names
        them itself.
    """

    document: Mapping[str, Any]
    granted_on: tuple[str, ...] = ()
