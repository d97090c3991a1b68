"""What is denied to the caller, even if its roles grant it.

https://learn.microsoft.com/azure/role-based-access-control/deny-assignments
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from airflow_multicloud.clouds.azure.identity.roles import OperationSet

#: "All principals": the id that stands for everybody.
_EVERYBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A deny assignment that applies to the caller, or may.

    :param doubt: why it may not; ``None`` when it certainly applies.
    """

    name: str
    operations: tuple[OperationSet, ...]
    doubt: str | None = None

    @classmethod
    def read(cls, assignment: Any, *, object_id: str, scope: str) -> Self | None:
        """One of the SDK's models; ``None`` when it does not apply.

        :param object_id: the caller's in Microsoft Entra; empty where it is not known.
        :param scope: that is asked about.
        """
        name = str(assignment.deny_assignment_name or assignment.name)
        inherited = str(assignment.scope).strip("/").casefold() != scope.strip("/").casefold()
        if assignment.do_not_apply_to_child_scopes and inherited:
            return None
        meant = _means(assignment.principals or (), object_id)
        spared = _means(assignment.exclude_principals or (), object_id)
        if meant is False or spared is True:
            return None
        doubts = []
        if meant is None or spared is None:
            doubts.append("whether the caller is in a group that it names is not known")
        permissions = list(assignment.permissions or ())
        if assignment.condition or any(one.condition for one in permissions):
            doubts.append("it has a condition")
        return cls(
            name=name,
            operations=tuple(map(OperationSet.of, permissions)),
            doubt=" and ".join(doubts) or None,
        )

    def denies(self, operation: str, *, is_data: bool) -> bool:
        """Whether an operation, or all of a pattern's, is in it."""
        return any(one.has(operation, is_data=is_data) for one in self.operations)

    def denies_some(self, operation: str, *, is_data: bool) -> bool:
        """Whether some operation that a pattern stands for may be in it."""
        return any(one.has_some(operation, is_data=is_data) for one in self.operations)


def _means(principals: Iterable[Any], object_id: str) -> bool | None:
    """Whether principals include the caller; ``None`` when a group of theirs may."""
    found: bool | None = False
    for one in principals:
        given = str(one.id or "").casefold()
        if given == _EVERYBODY or (object_id and given == object_id.casefold()):
            return True
        if not object_id or "group" in str(one.type or "").casefold():
            found = None
    return found
