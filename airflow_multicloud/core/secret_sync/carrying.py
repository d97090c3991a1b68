"""One secret brought to one destination: the source is pinned, and nobody's write is lost."""

from __future__ import annotations

import hmac
import threading
from dataclasses import dataclass, field, replace

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.secret_sync.deciding import Step
from airflow_multicloud.core.secret_sync.looking import Seen, described, look
from airflow_multicloud.core.secret_sync.outcomes import FindingKind, SyncOutcome, Verdict
from airflow_multicloud.core.secret_sync.planning import Run, verdict_of
from airflow_multicloud.core.secret_sync.stores import Store
from airflow_multicloud.errors import CloudError, ErrorKind, OverwrittenError
from airflow_multicloud.ports.secrets import SecretRecovery, SecretState

#: How often is decided again when something has changed meanwhile.
_TRIES = 5
#: What a write is refused with when somebody else has written meanwhile.
_MEANWHILE = frozenset(
    {ErrorKind.PRECONDITION_FAILED, ErrorKind.ALREADY_EXISTS, ErrorKind.NOT_FOUND}
)


class Budget:
    """How many values may still be replaced, by all threads together."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one, if there is one."""
        with self._lock:
            self._left -= 1
            return self._left >= 0


@dataclass(slots=True, kw_only=True)
class Carrying:
    """A secret on its way to a destination; by one thread."""

    run: Run
    to: Store
    name: str
    budget: Budget
    _written: set[str] = field(default_factory=set)
    _done: Verdict | None = None
    _counted: bool = False
    _lost: tuple[str, ...] = ()

    def carry(self) -> Verdict:
        """Decide, write, and look once more whether the source is still as it was.

        :raises CloudError: when one of both can't be asked.
        """
        for _ in range(_TRIES):
            cancellation.check()
            source = look(self.run.source.hook, self.name, self.run.comparer, keep=True)
            there, step = self.run.step(
                self.to, self.name, source, written=frozenset(self._written)
            )
            if not step.writes:
                return self._ended(step.verdict, there.version)
            if step.verdict.outcome is SyncOutcome.REPLACED and not self._may_replace():
                return self._beyond()
            if self._written_down(source, there, step) and self._still(source):
                return self._ended(None, None)
        changed = Verdict(
            outcome=SyncOutcome.FAILED,
            finding=FindingKind.ERROR,
            message=f"the source or the destination has changed {_TRIES} times meanwhile",
            error_kind=ErrorKind.SOURCE_CHANGED,
        )
        return self._ended(changed, None)

    def _written_down(self, source: Seen, there: Seen, step: Step) -> bool:
        """Carry the step out; return whether it is the last one, unless the source has moved."""
        hook = self.to.hook
        try:
            if step.recover and isinstance(hook, SecretRecovery):
                recovered = hook.recover_secret(self.name)
                version = None if recovered.current is None else recovered.current.id
                self._done = replace(step.verdict, version=version)
                return False
            if step.verdict.outcome is SyncOutcome.TAGGED:
                hook.tag_secret(self.name, step.tags, version=there.version or "")
                self._note(step, there.version)
                return True
            return self._write(source, there, step)
        except OverwrittenError as err:
            # As the error tells: what is there now may not be told by the cloud for minutes.
            self._written.add(err.written)
            self._note(step, err.written)
            self._lost += tuple(one for one in err.others if not self._equals(one, source))
            return err.is_current
        except CloudError as err:
            if err.kind not in _MEANWHILE:
                raise
            return False

    def _write(self, source: Seen, there: Seen, step: Step) -> bool:
        """Write the value; return whether it is current, as far as the cloud's answer says."""
        if source.value is None or source.version is None:
            raise ValueError("only a value that was read is written")
        pair = self.run.pair(self.to, self.name)
        written = self.to.hook.write_secret(
            self.name,
            source.value,
            token=pair.token(source.version, there.version),
            replaces=there.version,
            tags=step.tags,
        )
        self._written.add(written.id)
        self._note(step, written.id)
        return written.is_current

    def _note(self, step: Step, version: str | None) -> None:
        """Keep what was done first: deciding again afterwards does not change the counts."""
        if self._done is None:
            self._done = step.verdict
        self._done = replace(self._done, version=version)

    def _still(self, source: Seen) -> bool:
        now = described(self.run.source.hook, self.name)
        if now is None or now.state is SecretState.REMOVED or now.current is None:
            return True  # What it was is written; that it is gone now is the next run's.
        return now.current.id == source.version

    def _ended(self, verdict: Verdict | None, current: str | None) -> Verdict:
        """What is told, with what this run wrote on the way.

        :param current: the destination's version that was decided on.
        """
        quiet = verdict is None or verdict.outcome is SyncOutcome.UNCHANGED
        found = self._done if quiet and self._done is not None else verdict
        if found is None:
            raise ValueError("something was written or decided")
        if lost := [one for one in self._lost if one != current]:
            return Verdict(
                outcome=SyncOutcome.CONFLICT,
                finding=FindingKind.OVERWRITTEN,
                message="somebody wrote to the destination at the same time, and that is not the "
                f"current version any more: {', '.join(lost)}",
                error_kind=ErrorKind.PRECONDITION_FAILED,
                version=found.version,
            )
        return found

    def _may_replace(self) -> bool:
        if not self._counted:
            self._counted = True
            return self.budget.take()
        return True

    def _beyond(self) -> Verdict:
        return Verdict(
            outcome=SyncOutcome.FAILED,
            finding=FindingKind.LIMIT,
            message="max_replace: as many as allowed were replaced, and this one has come to "
            "differ meanwhile",
            error_kind=ErrorKind.PRECONDITION_FAILED,
        )

    def _equals(self, version: str, source: Seen) -> bool:
        try:
            value = self.to.hook.read_secret(self.name, version).value
        except CloudError as err:
            if err.kind not in _MEANWHILE:
                raise
            return False
        return source.digest is not None and hmac.compare_digest(
            self.run.comparer.digest(value), source.digest
        )


def carried(run: Run, to: Store, name: str, budget: Budget) -> Verdict:
    """What became of the secret; an error costs only itself."""
    try:
        return Carrying(run=run, to=to, name=name, budget=budget).carry()
    except CloudError as err:
        return verdict_of(err)
