"""What a run of one source takes from others: objects that it deletes, or writes over.

The looks of the others found these objects, and can't vouch for them any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from os.path import commonprefix

from msgspec.structs import replace

from airflow_multicloud.core.ledger import looks
from airflow_multicloud.core.ledger.commits import Look, Loss
from airflow_multicloud.core.ledger.entries import Entry, Proof

#: So many are remembered; older ones of one source are joined, then any, with a common prefix.
_MOST = 100


class Losses:
    """Counts, by the looks before a commit, which of their objects it takes.

    :param prefix: what the run writes below, or one key.
    :param source: likewise.
    :param started: when the run began.
    :ivar taken: whether the commit takes anything of another source, looked at or not.
    """

    def __init__(
        self, known: Sequence[Look], prefix: str, source: str | None, started: datetime
    ) -> None:
        self._known = known
        self._prefix, self._source = prefix, source
        self._lost = Counter[int]()
        self.taken = False
        # What the source has no more when a run of it looks was right at every time before.
        self._others = [
            index
            for index, look in enumerate(known)
            if looks.is_near(look.prefix, prefix)
            and (look.as_of > started or not is_same(look.prefix, look.source, prefix, source))
        ]

    def watched(
        self, changes: Iterable[Entry], known: Callable[[str], Entry | None]
    ) -> Iterator[Entry]:
        """The changes, which are counted as they pass."""
        for change in changes:
            # Of what is deleted, another source's may not have been looked at yet.
            if self._others or change.removed:
                self.add(known(change.key), change)
            yield change

    def add(self, before: Entry | None, after: Entry) -> None:
        """Count one object."""
        if before is None or before.proof is None or before.gone is not None:
            return
        proof = before.proof
        if after.proof is not None and after.proof.origin.uri == proof.origin.uri:
            return
        self.taken = self.taken or not self._is_own(before.key, proof)
        for index in self._others:
            look = self._known[index]
            if looks.is_origin(proof, before.key, look) and looks.within(proof, before.key, look):
                self._lost[index] += 1

    def _is_own(self, key: str, proof: Proof) -> bool:
        """Whether an object is a copy of one of the run's own source."""
        return proof.origin.uri == f"{self._source}{key[len(self._prefix) :]}"

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self.taken or bool(self._lost)

    def looks(self) -> tuple[Look, ...]:
        """The looks after the commit."""
        return tuple(
            replace(look, displaced=look.displaced + self._lost[index])
            if index in self._lost
            else look
            for index, look in enumerate(self._known)
        )


def is_same(prefix: str, source: str | None, other_prefix: str, other: str | None) -> bool:
    """Whether what is below two prefixes, one within the other, is from one source."""
    if source is None or other is None:
        return False
    if prefix.startswith(other_prefix):
        return source == other + prefix[len(other_prefix) :]
    return other == source + other_prefix[len(prefix) :]


def with_loss(known: Sequence[Loss], new: Loss) -> tuple[Loss, ...]:
    """The losses once another commit took something."""
    kept = [
        one
        for one in known
        if (one.prefix, one.source) != (new.prefix, new.source) or (one.taken and not new.taken)
    ]
    kept.append(new)
    kept.sort(key=_number)
    # Of one source first: those of many can't be told from anyone's. Who has taken nothing from
    # others raises no alarm by that.
    for like in (_root, lambda one: one.taken and one, lambda one: one.taken):
        kept = _fewer(kept, like)
    return tuple(kept)


def _number(loss: Loss) -> int:
    return loss.number


def _fewer(losses: Sequence[Loss], like: Callable[[Loss], object]) -> list[Loss]:
    """As few as are remembered, as far as there are older ones to be joined that are alike."""
    excess = len(losses) - _MOST
    found = dict[object, Loss]()
    for index, one in enumerate(losses):
        key = (like(one),) if excess > 0 else index
        before = found.get(key)
        found[key] = one if before is None else _joined(before, one)
        excess -= before is not None
    return sorted(found.values(), key=_number)


def _joined(old: Loss, new: Loss) -> Loss:
    """One loss that is near all that two are near."""
    prefix = _common(old.prefix, new.prefix)
    source = None
    if new.source is not None and _root(old) == _root(new):
        source = new.source[: len(new.source) - (len(new.prefix) - len(prefix))]
    return Loss(prefix, source, new.number, new.taken)


def _root(loss: Loss) -> object:
    """The same for all that is of one source, copied below one place."""
    if loss.source is None:
        return loss
    same = len(_common(loss.prefix[::-1], loss.source[::-1]))
    prefix, source = loss.prefix, loss.source
    return prefix[: len(prefix) - same], source[: len(source) - same], loss.taken


def _common(one: str, other: str) -> str:
    return commonprefix([one, other])  # noqa: RUF071 - a prefix may end within a name
