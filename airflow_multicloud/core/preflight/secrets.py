"""What synchronising secrets needs, and the canary secret of a drill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud.choices import choice
from airflow_multicloud.core.drill.secret_canary import check_canary_prefix
from airflow_multicloud.core.preflight.needs import Need
from airflow_multicloud.core.secret_sync.options import DeletionPolicy, OnConflict
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.lists import texts

_LOOKING = ("describe_secret", "read_secret", "list_secret_versions")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSecrets:
    """A synchronisation, in the words of ``SyncSecretsOperator``."""

    source: str
    destinations: object
    names: object = None
    prefix: str | None = None
    on_conflict: str = OnConflict.FAIL
    deletion_policy: str = DeletionPolicy.RETAIN
    preserve_tags: bool = True

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {"max_replace", "max_remove", "accounts", "dry_run", "workers"}
    )

    def needs(self) -> Iterator[Need]:
        """Of the source, which is read, and of each destination.

        :raises SecretsError: kind ``invalid_argument`` when not exactly one of ``names`` and
            ``prefix`` is given, and for a policy that there is not.
        """
        on_conflict = choice("on_conflict", self.on_conflict, OnConflict, error=SecretsError)
        policy = choice("deletion_policy", self.deletion_policy, DeletionPolicy, error=SecretsError)
        secrets = self._secrets()
        of_source = _Store("sync_secrets: source", self.source)
        whole = ("describe_store", *(("find_secrets",) if self.prefix else ()))
        yield from of_source.uses(whole, [{}])
        yield from of_source.uses(_LOOKING, secrets)
        removes = policy is DeletionPolicy.REMOVE
        uses = [*_LOOKING, "write_secret"]
        uses += ["tag_secret"] if self.preserve_tags else []
        uses += ["recover_secret"] if on_conflict is OnConflict.OVERWRITE else []
        uses += ["remove_secret"] if removes else []
        # A copy may not be there yet, so that nothing can be asked of it.
        copies = [{**one, "copy": "yes"} for one in secrets]
        # By names, each copy is looked at; by their beginning, they are found first.
        finds = removes and self.prefix
        whole = ("describe_store", *(("find_secrets",) if finds else ()))
        for conn_id in texts(
            self.destinations, "destinations", what="connection ids", if_empty="name at least one"
        ):
            store = _Store("sync_secrets: destination", conn_id)
            yield from store.uses(whole, [{"copy": "yes"}])
            yield from store.uses(uses, copies)

    def _secrets(self) -> Sequence[Mapping[str, str]]:
        """Facts of what is meant: each secret by its name, or all whose names begin so."""
        if bool(self.names) is bool(self.prefix):
            given = "both given" if self.names else "neither given"
            raise SecretsError(
                f"names, prefix: {given}, expected one of them", kind=ErrorKind.INVALID_ARGUMENT
            )
        if self.prefix:
            return [{"secrets": self.prefix}]
        return [{"secret": one} for one in texts(self.names, "names", what="names of secrets")]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCanarySecret:
    """The canary secret of a drill, in the words of ``WriteCanarySecretOperator``.

    Who looks for it needs nothing that the synchronisation does not need.
    """

    source: str
    prefix: str

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset()

    def needs(self) -> Iterator[Need]:
        """Of the store that it is written to.

        :raises SecretsError: kind ``invalid_argument`` for no prefix, or one that is no text.
        """
        check_canary_prefix(self.prefix)
        store = _Store("write_canary_secret", self.source)
        yield from store.uses(("describe_store",), [{}])
        # At first it is not there, so that nothing can be asked of it, as of a copy.
        uses = ("describe_secret", "write_secret")
        yield from store.uses(uses, [{"secrets": self.prefix, "copy": "yes"}])


@dataclass(frozen=True, slots=True)
class _Store:
    """One that needs are of; see :class:`~.needs.Need`."""

    what: str
    conn_id: str

    def uses(self, uses: Iterable[str], of: Iterable[Mapping[str, str]]) -> Iterator[Need]:
        """Each use of each of these, which are told by their facts."""
        for facts in of:
            for use in uses:
                yield Need(
                    what=self.what, conn_id=self.conn_id, service="secrets", use=use, facts=facts
                )
