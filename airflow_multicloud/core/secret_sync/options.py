"""What a synchronisation is to do, as it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.lists import UNRENDERED, is_template
from airflow_multicloud.text import given_text


class OnConflict(StrEnum):
    """What is done where a destination has a value that the source never had."""

    #: It stays, and the run fails after all others were done.
    FAIL = "fail"
    #: It stays, and the report tells of it.
    KEEP = "keep"
    #: The source's value replaces it.
    OVERWRITE = "overwrite"


class DeletionPolicy(StrEnum):
    """What is done with copies whose secret is gone at the source."""

    RETAIN = "retain"
    #: They are removed, so that they can be recovered; only what these runs made.
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """How secrets are synchronised.

    :param names: which secrets, each once; all that begin with ``prefix`` when left out.
    :param prefix: how the names begin.
    :param max_replace: how many values may be replaced, at all destinations together; a run that
        would replace more writes nothing. Creating is not bounded.
    :param max_remove: how many copies may be removed, likewise.
    :param preserve_tags: whether tags are kept equal, too.
    :param workers: how many secrets are looked at or written at the same time.
    """

    names: tuple[str, ...] = ()
    prefix: str = ""
    on_conflict: OnConflict = OnConflict.FAIL
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    max_replace: int = 10
    max_remove: int = 10
    preserve_tags: bool = True
    dry_run: bool = False
    workers: int = 8

    def __post_init__(self) -> None:
        """Check.

        :raises SecretsError: ``invalid_argument``, naming the parameter.
        """
        if bool(self.names) is bool(self.prefix):
            given = "both given" if self.names else "neither given"
            raise _refused(f"names, prefix: {given}, expected one of them, and no empty one")
        if twice := sorted({one for one in self.names if self.names.count(one) > 1}):
            raise _refused(f"names: {', '.join(twice)} given more than once, expected each once")
        if is_template(self.prefix):
            raise _refused(f"prefix: {UNRENDERED}")
        for name, least in (("max_replace", 0), ("max_remove", 0), ("workers", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise _refused(
                    f"{name}: {given_text(value)} given, expected a whole number from {least}"
                )

    @property
    def removes(self) -> bool:
        """Whether copies are removed whose secret is gone."""
        return self.deletion_policy is DeletionPolicy.REMOVE


def _refused(message: str) -> SecretsError:
    return SecretsError(message, kind=ErrorKind.INVALID_ARGUMENT)
