"""The plan for all destinations, made before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.secret_sync.deciding import Case, Step, decide, managed
from airflow_multicloud.core.secret_sync.gone import extra_copies, of_copy
from airflow_multicloud.core.secret_sync.identity import Pair
from airflow_multicloud.core.secret_sync.looking import (
    Comparer,
    History,
    Seen,
    look,
    versions_of,
)
from airflow_multicloud.core.secret_sync.options import SyncOptions
from airflow_multicloud.core.secret_sync.outcomes import FindingKind, SyncOutcome, Verdict
from airflow_multicloud.core.secret_sync.stores import Store
from airflow_multicloud.core.telemetry import submit_in_context
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import Secret, SecretRecovery

T = TypeVar("T")

_NOT_ADDRESSABLE = Verdict(
    outcome=SyncOutcome.SKIPPED,
    finding=FindingKind.NOT_ADDRESSABLE,
    message="its name at the source looks like another name's encoding; rename it there",
)
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run under way: what all its parts need."""

    source: Store
    options: SyncOptions
    comparer: Comparer
    history: History

    def pair(self, to: Store, name: str) -> Pair:
        """The secret and its copy."""
        return Pair(source=self.source.id, destination=to.id, name=name)

    def step(
        self, to: Store, name: str, source: Seen, *, written: frozenset[str] = frozenset()
    ) -> tuple[Seen, Step]:
        """Look at the destination, and decide.

        :param written: the destination's versions that this run wrote.
        :raises CloudError: when one of both can't be asked.
        """
        there = look(to.hook, name, self.comparer)
        current = source.version or ""
        case = Case(
            pair=self.pair(to, name),
            source=source,
            there=there,
            rules=to.hook.describe_secret_rules(),
            options=self.options,
            had=lambda digest: self.history.having(name, digest, but=current),
            versions=lambda: (versions_of(to.hook, name), self.history.ids(name)),
            check_tags=to.hook.check_secret_tags,
            recovers=isinstance(to.hook, SecretRecovery),
            written=written,
        )
        return there, decide(case)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtSource:
    """What the source has of what is meant.

    :param seen: by name; what could not be looked at is in ``errors``.
    :param left: what becomes of those that are not looked at, by name.
    """

    seen: Mapping[str, Seen]
    errors: Mapping[str, CloudError]
    left: Mapping[str, Verdict] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done at a destination.

    :param verdicts: name → what would become of it.
    :param removals: names of copies that are to be removed.
    :param error: why not all could be planned, if so.
    """

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    removals: set[str] = field(default_factory=set)
    error: CloudError | None = None


def look_at_source(run: Run) -> AtSource:
    """Look at everything that is meant.

    :raises SecretsError: ``not_found`` when there is nothing of it at all.
    :raises CloudError: when the source can't be asked.
    """
    names, left = run.options.names, dict[str, Verdict]()
    if not names:
        found = list(run.source.hook.find_secrets(run.options.prefix))
        names = tuple(dict.fromkeys(one.name for one in found if _is_looked_at(one)))
        rest = sorted({one.name: one for one in found if one.name not in names}.items())
        left = {name: managed(one) if one.managed_by else _NOT_ADDRESSABLE for name, one in rest}
    seen: dict[str, Seen] = {}
    errors: dict[str, CloudError] = {}

    def look_at(name: str) -> None:
        try:
            seen[name] = look(run.source.hook, name, run.comparer)
        except CredentialsError:
            raise
        except CloudError as err:
            errors[name] = err

    each(look_at, names, run.options.workers)
    if not errors and not left and all(one.is_gone for one in seen.values()):
        meant = ", ".join(run.options.names) or f"{run.options.prefix}…"
        raise SecretsError(
            f"names, prefix: {run.source.id} has none of {meant}; nothing was written or removed",
            kind=ErrorKind.NOT_FOUND,
            cloud=run.source.cloud,
        )
    return AtSource(seen=dict(sorted(seen.items())), errors=errors, left=left)


def _is_looked_at(found: Secret) -> bool:
    return found.addressable and found.managed_by is None


def plan(run: Run, to: Store, at_source: AtSource) -> Plan:
    """What is to be done at a destination; a secret that can't be looked at fails alone."""
    made = Plan(_without_looking(to, at_source))
    names = [name for name in at_source.seen if name not in made.verdicts]

    def settle(name: str) -> None:
        try:
            made.verdicts[name] = _of_one(run, to, name, at_source.seen[name])
        except CredentialsError:
            raise
        except CloudError as err:
            made.verdicts[name] = verdict_of(err)

    try:
        each(settle, names, run.options.workers)
        if run.options.removes and run.options.prefix:
            made.verdicts.update(extra_copies(run, to, dict(made.verdicts)))
    except CloudError as err:
        for name in names:
            made.verdicts.setdefault(name, Verdict(outcome=SyncOutcome.FAILED))
        return Plan(made.verdicts, set(), err)
    return Plan(made.verdicts, _removed(made.verdicts))


def _without_looking(to: Store, at_source: AtSource) -> dict[str, Verdict]:
    """What becomes of secrets whose copies need not be looked at."""
    return {
        **at_source.left,
        **{name: verdict_of(err, "at the source: ") for name, err in at_source.errors.items()},
        **_unfit_names(to, at_source.seen),
    }


def _of_one(run: Run, to: Store, name: str, seen: Seen) -> Verdict:
    if seen.is_gone and run.options.removes:
        return of_copy(run, to, name)[1]
    return run.step(to, name, seen)[1].verdict


def each(work: Callable[[T], None], items: Iterable[T], workers: int) -> None:
    """Do it with each, some at the same time.

    :raises WorkCancelledError: between two, when the work is to stop.
    """

    def one(item: T) -> None:
        cancellation.check()
        work(item)

    with cancellation.pool(workers, "multicloud-secrets") as pool:
        futures = [submit_in_context(pool, one, item) for item in items]
        cancellation.wait_for(futures)
        cancellation.check()
        for future in futures:
            future.result()


def verdict_of(err: CloudError, before: str = "") -> Verdict:
    """The verdict on a secret that fails with an error.

    :param before: what stands before the error's message.
    """
    return Verdict(
        outcome=SyncOutcome.FAILED,
        finding=FindingKind.ERROR,
        message=f"{before}{err.kind}: {err}",
        error_kind=err.kind,
    )


def _unfit_names(to: Store, names: Iterable[str]) -> dict[str, Verdict]:
    written: dict[str, str] = {}
    found: dict[str, Verdict] = {}
    for name in names:
        try:
            written[name] = to.hook.check_secret_name(name)
        except CloudError as err:
            found[name] = _unfit(str(err))
    many = Counter(written.values())
    for name, there in written.items():
        if many[there] > 1:
            same = ", ".join(sorted(one for one in written if written[one] == there))
            found[name] = _unfit(f"{same} would all be {there} at the destination; rename some")
    return found


def _unfit(message: str) -> Verdict:
    return Verdict(
        outcome=SyncOutcome.FAILED,
        finding=FindingKind.NAME,
        message=message,
        error_kind=ErrorKind.INVALID_ARGUMENT,
    )


def _removed(verdicts: Mapping[str, Verdict]) -> set[str]:
    return {name for name, one in verdicts.items() if one.outcome is SyncOutcome.REMOVED}


def most_exceeded(plans: Sequence[Plan], options: SyncOptions) -> str | None:
    """Why a run must not begin: it would replace or remove more than is allowed."""
    counts = Counter(one.outcome for made in plans for one in made.verdicts.values())
    for outcome, parameter in (
        (SyncOutcome.REPLACED, "max_replace"),
        (SyncOutcome.REMOVED, "max_remove"),
    ):
        most = getattr(options, parameter)
        if counts[outcome] > most:
            return (
                f"{parameter}: {counts[outcome]} secrets would be {outcome}, at most {most} "
                "allowed; nothing was written. Look at what a dry run tells of, and allow as many"
            )
    return None
