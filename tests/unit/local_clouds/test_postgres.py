"""The PostgreSQL servers of a local cloud, over real processes and SQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from airflow_multicloud.errors import ProviderNotAvailableError
from airflow_multicloud.testing.local_clouds.kit.postgres import programs
from airflow_multicloud.testing.local_clouds.kit.postgres.archives import NotRestorableError
from airflow_multicloud.testing.local_clouds.kit.postgres.damage import Damage, damage
from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance, Login
from airflow_multicloud.testing.local_clouds.kit.postgres.leftovers import forget_shared_memory
from airflow_multicloud.testing.local_clouds.kit.postgres.process import processes_in
from airflow_multicloud.testing.local_clouds.kit.process import end_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PORT = 40_600
LOGIN = Login("postgres", "it's a \\ secret %")
CANARY = "c4n4ry-0f-a-passw0rd"


@pytest.fixture(scope="module")
def home() -> Iterator[PostgresHome]:
    with closing(PostgresHome(port=PORT)) as made:
        yield made


@pytest.fixture(scope="module")
def shop(home: PostgresHome) -> Instance:
    """A database with many orders, on several pages; tests add some."""
    made = home.create("shop", LOGIN, ("sales",))
    ask(made, "CREATE TABLE orders (id int PRIMARY KEY, note text)")
    ask(made, "INSERT INTO orders SELECT n, repeat('x', 100) FROM generate_series(1, 1000) n")
    return made


def ask(
    instance: Instance, statement: str, database: str = "sales", login: Login = LOGIN
) -> list[Any]:
    with closing(
        psycopg2.connect(
            host=instance.endpoint.host,
            port=instance.endpoint.port,
            user=login.user,
            password=login.password,
            dbname=database,
        )
    ) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def orders(instance: Instance) -> int:
    ((count,),) = ask(instance, "SELECT count(*) FROM orders")
    return int(count)


def order(instance: Instance) -> datetime:
    """Add one; returns a time between it and whatever comes next."""
    ask(instance, "INSERT INTO orders SELECT coalesce(max(id), 0) + 1, 'new' FROM orders")
    ((now,),) = ask(instance, "SELECT clock_timestamp()")
    assert isinstance(now, datetime)
    return now


def eventually(happens: Callable[[], object], within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_its_user_owns_the_databases_and_is_no_superuser(shop: Instance) -> None:
    assert shop.endpoint.host.startswith("127.158.152.")
    ask(shop, "CREATE TABLE here (n int)", database="postgres")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(shop, "ALTER SYSTEM SET work_mem = '1MB'")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        ask(shop, "SELECT 1", login=Login("postgres", "guessed"))
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        ask(shop, "SELECT 1", login=Login("cloudadmin", LOGIN.password))


def test_no_password_is_shown_or_logged(home: PostgresHome) -> None:
    login = Login("owner", CANARY)
    made = home.create("canary", login, ("sales",))
    try:
        assert CANARY not in repr(login)
        ask(made, "SELECT 1", login=login)
        shown = end_of(made.folder / "log")
        for process in processes_in(made.folder):
            # One of them may end meanwhile.
            with suppress(FileNotFoundError, ProcessLookupError):
                shown += Path(f"/proc/{process}/cmdline").read_text()
                shown += Path(f"/proc/{process}/environ").read_text(errors="replace")
        assert "postgres\0-D" in shown
        assert "ready to accept connections" in shown
        assert CANARY not in shown
        assert home._blank.password not in shown
    finally:
        home.delete(made)


def test_a_replica_follows_lags_and_is_promoted(home: PostgresHome, shop: Instance) -> None:
    replica = home.replica(shop, "replica")
    begun = orders(shop)
    try:
        order(shop)
        eventually(lambda: orders(replica) == begun + 1)
        eventually(lambda: replica.lag() == timedelta())
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            order(replica)

        replica.pause_replay()
        order(shop)
        eventually(lambda: replica.lag() > timedelta())
        earlier = replica.lag()
        assert replica.lag() > earlier
        assert orders(replica) == begun + 1
        replica.resume_replay()
        eventually(lambda: orders(replica) == begun + 2)
        eventually(lambda: replica.lag() == timedelta())

        replica.pause_replay()
        order(shop)
        eventually(lambda: replica.lag() > timedelta())
        replica.promote()
        assert not replica.is_replica
        # What it had received counts, though it was not shown.
        assert orders(replica) == begun + 3
        order(replica)
        order(shop)
        order(shop)
        assert (orders(replica), orders(shop)) == (begun + 4, begun + 5)
        replica.restart()
        assert orders(replica) == begun + 4
        with pytest.raises(ValueError, match="no replica"):
            replica.promote()
    finally:
        home.delete(replica)


def test_a_promoted_replica_is_restored_from_its_own_archive(
    home: PostgresHome, shop: Instance
) -> None:
    replica = home.replica(shop, "replica")
    begun = orders(shop)
    try:
        with pytest.raises(NotRestorableError, match="nothing of 'replica' is archived yet"):
            home.restore_to_time(replica.archive, datetime.now(UTC), "early")
        replica.promote()
        between = order(replica)
        order(replica)
        restored = home.restore_to_time(replica.archive, between, "restored")
        assert orders(restored) == begun + 1
        home.delete(restored)
    finally:
        home.delete(replica)


def test_a_backup_holds_what_was_there_when_it_was_taken(
    home: PostgresHome, shop: Instance
) -> None:
    begun = orders(shop)
    backup = home.backup(shop, "nightly")
    order(shop)
    assert backup.size > 1_000_000
    assert (backup.data / "backup_manifest").exists()
    home._programs.run("pg_verifybackup", str(backup.data), timeout=60)
    restored = home.restore(backup, "restored")
    assert orders(restored) == begun
    order(restored)
    order(restored)
    assert orders(shop) == begun + 1
    assert restored.endpoint != shop.endpoint
    home.delete(restored)
    home.delete_backup(backup)
    assert not backup.folder.exists()


def test_a_backup_of_a_replica_becomes_a_primary(home: PostgresHome, shop: Instance) -> None:
    replica = home.replica(shop, "replica")
    backup = home.backup(replica, "of the replica")
    home.delete(replica)
    restored = home.restore(backup, "restored")
    assert not restored.is_replica
    order(restored)
    assert orders(restored) == orders(shop) + 1
    home.delete(restored)
    home.delete_backup(backup)


def test_it_is_restored_to_a_time_also_when_it_is_deleted(home: PostgresHome) -> None:
    shop = home.create("gone", LOGIN, ("sales",))
    ask(shop, "CREATE TABLE orders (id int PRIMARY KEY, note text)")
    first = order(shop)
    order(shop)
    restored = home.restore_to_time(shop.archive, first, "first")
    assert orders(restored) == 1
    # It has an archive of its own, which goes on from there.
    third = order(restored)
    ask(restored, "DELETE FROM orders")
    again = home.restore_to_time(restored.archive, third, "again")
    assert orders(again) == 2
    order(shop)
    home.delete(shop, keep_archive=True)
    assert shop.archive.latest is not None
    late = home.restore_to_time(shop.archive, shop.archive.latest, "late")
    assert orders(late) == 3
    home.delete_archive(shop.archive)
    for one in (restored, again, late):
        home.delete(one)


def test_a_time_that_is_not_archived_is_refused(home: PostgresHome, shop: Instance) -> None:
    for when in (datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)):
        with pytest.raises(NotRestorableError, match="can be restored to times from"):
            home.restore_to_time(shop.archive, when, "never")
    with pytest.raises(KeyError):
        home.instance("never")


def test_rows_that_a_backup_has_lost_are_lost(home: PostgresHome, shop: Instance) -> None:
    backup = home.backup(shop, "damaged")
    damage(home, backup, "orders", how=Damage.TRUNCATE, database="sales")
    restored = home.restore(backup, "restored")
    assert 0 < orders(restored) < 1000
    home.delete(restored)
    home.delete_backup(backup)


def test_bytes_that_a_backup_has_flipped_cannot_be_read(home: PostgresHome, shop: Instance) -> None:
    backup = home.backup(shop, "flipped")
    damage(home, backup, "orders", how=Damage.FLIP, database="sales")
    restored = home.restore(backup, "restored")
    with pytest.raises(psycopg2.Error, match="invalid page in block 0"):
        orders(restored)
    home.delete(restored)
    home.delete_backup(backup)


def test_a_table_without_rows_cannot_be_damaged(home: PostgresHome, shop: Instance) -> None:
    ask(shop, "CREATE TABLE nothing (n int)")
    backup = home.backup(shop, "whole")
    with pytest.raises(ValueError, match="has no rows"):
        damage(home, backup, "nothing", how=Damage.FLIP, database="sales")
    home.delete_backup(backup)


def test_what_is_committed_survives_a_crash_and_a_stop(shop: Instance) -> None:
    begun = orders(shop)
    shop.crash()
    assert not shop.running
    assert not processes_in(shop.folder)
    with pytest.raises(psycopg2.OperationalError, match="refused"):
        orders(shop)
    shop.start()
    order(shop)
    shop.stop()
    assert not shop.running
    shop.start()
    shop.start()
    assert orders(shop) == begun + 1


def test_one_that_does_not_start_says_why(shop: Instance) -> None:
    shop.stop()
    settings = (shop.data / "postgresql.conf").read_text()
    (shop.data / "postgresql.conf").write_text(f"{settings}shared_buffers = 'much'\n")
    with pytest.raises(ProviderNotAvailableError, match=r"'shop' ended .*shared_buffers.*much"):
        shop.start()
    assert not shop.running
    (shop.data / "postgresql.conf").write_text(settings)
    shop.start()


def test_names_are_used_once_and_nothing_is_left_of_what_fails(
    home: PostgresHome, shop: Instance
) -> None:
    with pytest.raises(ValueError, match="'shop' given, which an instance has"):
        home.create("shop", LOGIN)
    before = set(home._directory.iterdir())
    with pytest.raises(ValueError, match=r"login 'pg_owner'.*reserved"):
        home.create("other", Login("pg_owner", "x"))
    assert set(home._directory.iterdir()) == before
    assert home.instance("shop") is shop


def test_closing_ends_and_removes_everything() -> None:
    home = PostgresHome(port=PORT + 1)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda name: home.create(name, LOGIN), ("a", "b"))
    assert first.endpoint != second.endpoint
    home.backup(first, "of a")
    directory = home._directory
    home.close()
    assert not directory.exists()
    assert not processes_in(directory)
    with pytest.raises(RuntimeError, match="has ended"):
        home.create("c", LOGIN)


def shared_memory() -> set[str]:
    """The ids of this machine's System V segments."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {line.split()[1] for line in lines}


def shared_memory_of(home: Path) -> set[str]:
    """The ids that its servers have noted down."""
    noted = home.glob("*/data/postmaster.pid")
    return {path.read_text().splitlines()[6].split()[1] for path in noted}


HOLDER = """
import sys, threading, time
from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Login

home = PostgresHome(port=int(sys.argv[1]))
def make():
    primary = home.create("a", Login("owner", "secret"))
    home.replica(primary, "b")
# From a thread that ends: an instance must not end with it.
thread = threading.Thread(target=make)
thread.start()
thread.join()
print(home._directory, home.instance("b").lag().total_seconds() >= 0, flush=True)
time.sleep(60)
"""


READER = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(sys.path),
    "PYTHONDONTWRITEBYTECODE": "1",
}


def holder(port: int, *, python: str = sys.executable, **options: Any) -> subprocess.Popen[str]:
    command = [python, "-c", HOLDER, str(port)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=READER, **options)


def test_they_end_with_their_holder_even_when_that_is_killed() -> None:
    with holder(PORT + 2) as running:
        try:
            assert running.stdout is not None
            told, _ = running.stdout.readline().split()
            assert len(processes_in(Path(told))) > 2
        finally:
            running.kill()
    eventually(lambda: not processes_in(Path(told)))
    assert Path(told).exists()
    left = shared_memory_of(Path(told))
    assert len(left) == 2
    assert left <= shared_memory()
    # The next one clears away what that left.
    PostgresHome(port=PORT + 2).close()
    assert not Path(told).exists()
    assert not left & shared_memory()


@pytest.mark.skipif(os.geteuid() != 0, reason="all other tests run as an ordinary user already")
def test_an_ordinary_user_can_hold_them() -> None:
    nobody = programs._account()
    assert nobody is not None
    who: dict[str, Any] = {"user": nobody.user, "group": nobody.group, "extra_groups": []}
    # That of this environment is often in root's home.
    python = shutil.which(f"python3.{sys.version_info.minor}", path=os.defpath)
    try:
        subprocess.run([python or "", "-c", "import psycopg"], env=READER, check=True, **who)
    except (OSError, subprocess.CalledProcessError) as err:
        pytest.skip(f"an ordinary user can't run this Python, or not read its packages: {err}")
    with holder(PORT + 3, python=str(python), cwd="/", **who) as running:
        try:
            assert running.stdout is not None
            told, follows = running.stdout.readline().split()
            assert follows == "True"
            assert Path(told).stat().st_uid == nobody.user
        finally:
            running.kill()
    eventually(lambda: not processes_in(Path(told)))
    for data in Path(told).glob("*/data"):
        forget_shared_memory(data)
    shutil.rmtree(told)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as another user")
def test_programs_that_only_root_can_read_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = programs._installed()
    private = tmp_path / "private"
    for name in (installed.name, programs._LIBRARIES):
        shutil.copytree(installed.parent / name, private / name)
    private.chmod(0o700)
    monkeypatch.setattr(programs, "_installed", lambda: private / installed.name)
    with closing(PostgresHome(port=PORT + 4)) as home:
        assert home._programs.path("postgres").startswith(str(home._directory))
        primary = home.create("a", LOGIN)
        assert home.replica(primary, "b").lag() == timedelta()
