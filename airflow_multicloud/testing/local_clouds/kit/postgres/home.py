"""The PostgreSQL servers behind the managed databases of a local cloud: each really runs.

An instance is a PostgreSQL server with an address of its own on loopback, at port 5432 where that
is free. A replica streams from its primary; a backup is a copy taken while the instance runs; each
instance archives its write-ahead log, so that it can be restored to any time since its first
backup. All of it ends with the process that holds the :class:`PostgresHome`, also when that is
killed. Linux only. The servers have no TLS: the wheel's PostgreSQL is built without it.
"""

from __future__ import annotations

import itertools
import shutil
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from airflow_multicloud.testing.local_clouds.kit.addresses import Addresses
from airflow_multicloud.testing.local_clouds.kit.postgres.archives import (
    Archive,
    Backup,
    bytes_in,
)
from airflow_multicloud.testing.local_clouds.kit.postgres.blank import Blank
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance, Login
from airflow_multicloud.testing.local_clouds.kit.postgres.leftovers import (
    forget_shared_memory,
    new_home,
)
from airflow_multicloud.testing.local_clouds.kit.postgres.process import PostgresProcess
from airflow_multicloud.testing.local_clouds.kit.postgres.programs import Programs
from airflow_multicloud.testing.local_clouds.kit.postgres.settings import (
    Endpoint,
    Recovery,
    Settings,
)

_PORT = 5432


class PostgresHome:
    """All database instances of one local cloud, with their backups; safe for many threads.

    Its directory is among the system's temporary ones, or in memory where there is plenty
    (:func:`~.leftovers.new_home`): root's servers run as another user, who could not enter
    most others. An instance takes 50 MB or so, a backup 30 MB.

    :param port: of the cloud's server; the instances' addresses are made of it
        (:class:`~.addresses.Addresses`).
    :raises ProviderNotAvailableError: when PostgreSQL is not installed or can't be run.
    """

    def __init__(self, *, port: int) -> None:
        self._addresses = Addresses(port)
        self._directory, self._hold = new_home()
        self._programs = Programs(self._directory)
        self._blank = Blank(self._directory, self._programs)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._instances: dict[str, Instance] = {}
        self._closed = False

    def instance(self, name: str) -> Instance:
        """The instance of this name.

        :raises KeyError: when there is none.
        """
        with self._lock:
            return self._instances[name]

    def create(
        self, name: str, login: Login, databases: tuple[str, ...] = ("postgres",)
    ) -> Instance:
        """A new instance, running.

        :param login: who may use it, and owns its databases.
        :param databases: created, beside ``postgres``, which there always is.
        :raises ValueError: for a name that an instance has.
        :raises ProviderNotAvailableError: when it does not come up.
        """

        def prepare(made: Instance) -> None:
            self._programs.copy(self._blank.data, made.data)
            made.configure(self._settings(made))
            made.start()
            made.add_login(login, databases)
            made.begin_archive(self._blank.data)

        return self._make(name, prepare)

    def replica(self, of: Instance, name: str) -> Instance:
        """A new instance that follows another: it can be read, and shows what the other commits.

        :raises ValueError: for a name that an instance has.
        :raises ProviderNotAvailableError: when either can't be reached or does not come up.
        """

        def prepare(made: Instance) -> None:
            of.base_backup(made.data)
            self._programs.write(made.data / "standby.signal", "")
            made.configure(self._settings(made, primary=of.endpoint))
            made.start()
            made.await_stream()

        return self._make(name, prepare)

    def backup(self, of: Instance, name: str) -> Backup:
        """Copy an instance, or a replica, while it runs.

        :param name: for messages.
        :raises ProviderNotAvailableError: when it can't be reached.
        """
        folder = self._new_folder()
        try:
            completed_at = of.base_backup(folder / "data")
        except BaseException:
            shutil.rmtree(folder)
            raise
        return Backup(
            name=name, folder=folder, size=bytes_in(folder / "data"), completed_at=completed_at
        )

    def restore(self, backup: Backup, name: str) -> Instance:
        """A new instance with the data of a backup, which is not checked, and its users.

        :raises ValueError: for a name that an instance has.
        :raises ProviderNotAvailableError: when it does not come up.
        """

        def prepare(made: Instance) -> None:
            self._take_over(backup.data, made)
            made.start()
            made.begin_archive()

        return self._make(name, prepare)

    def restore_to_time(self, archive: Archive, when: datetime, name: str) -> Instance:
        """A new instance with what an archived one held at a time.

        :param archive: of an instance that may have been deleted since.
        :param when: aware; what was committed until then is there, and nothing else.
        :raises NotRestorableError: for a time that the archive does not reach.
        :raises ValueError: for a name that an instance has.
        :raises ProviderNotAvailableError: when it does not come up.
        """
        self._seal(archive)
        archive.check_reaches(when)

        def prepare(made: Instance) -> None:
            self._take_over(archive.base, made)
            settings = self._settings(made)
            recovery = Recovery(archive.log, when)
            self._programs.write(made.data / "postgresql.conf", settings.text(recovery))
            self._programs.write(made.data / "recovery.signal", "")
            made.start(until_promoted=True)
            made.configure(settings)
            made.begin_archive()

        return self._make(name, prepare)

    def delete(self, instance: Instance, *, keep_archive: bool = False) -> None:
        """End an instance and remove its data. Its backups stay.

        :param keep_archive: whether it can still be restored to a time.
        """
        if keep_archive:
            instance.stop()
        else:
            instance.crash()
        self._remove(instance)
        if not keep_archive:
            self.delete_archive(instance.archive)

    def delete_backup(self, backup: Backup) -> None:
        """Remove a backup; nothing to do when it is gone."""
        _remove_tree(backup.folder)

    def delete_archive(self, archive: Archive) -> None:
        """Remove an archive, of an instance that is deleted; nothing to do when it is gone."""
        _remove_tree(archive.folder)

    def close(self) -> None:
        """End all instances and remove everything, for good."""
        with self._lock:
            self._closed = True
            instances = list(self._instances.values())
        if instances:
            with ThreadPoolExecutor(len(instances)) as pool:
                for future in [pool.submit(self.delete, one) for one in instances]:
                    future.result()
        _remove_tree(self._directory)
        self._hold.close()

    def _make(self, name: str, prepare: Callable[[Instance], None]) -> Instance:
        """A new instance; nothing is left of it when it can't be made."""
        made = self._new_instance(name)
        try:
            prepare(made)
        except BaseException:
            self.delete(made)
            raise
        return made

    def _new_instance(self, name: str) -> Instance:
        with self._lock:
            if self._closed:
                raise RuntimeError(f"instance {name!r}: can't be made, the local cloud has ended")
            if name in self._instances:
                raise ValueError(f"name: {name!r} given, which an instance has")
            folder = self._new_folder()
            archived = self._new_folder()
            archive = Archive(name=name, folder=archived, base=archived / "base")
            self._programs.make_directory(archive.log)
            made = Instance(
                name,
                folder,
                process=PostgresProcess(
                    name,
                    folder / "data",
                    endpoint=_free_endpoint(self._addresses.of(name)),
                    programs=self._programs,
                    password=self._blank.password,
                ),
                programs=self._programs,
                archive=archive,
                passwords=self._blank.passwords,
            )
            self._instances[name] = made
            return made

    def _remove(self, instance: Instance) -> None:
        with self._lock:
            if self._instances.get(instance.name) is instance:
                del self._instances[instance.name]
                self._addresses.give_back(instance.name)
        forget_shared_memory(instance.data)
        _remove_tree(instance.folder)

    def _settings(self, of: Instance, *, primary: Endpoint | None = None) -> Settings:
        return Settings(
            endpoint=of.endpoint,
            archive=of.archive.log,
            primary=primary,
            passwords=self._blank.passwords,
        )

    def _take_over(self, data: Path, made: Instance) -> None:
        self._programs.copy(data, made.data)
        # That of a replica has one.
        (made.data / "standby.signal").unlink(missing_ok=True)
        made.configure(self._settings(made))

    def _seal(self, archive: Archive) -> None:
        with self._lock:
            instances = list(self._instances.values())
        for one in instances:
            if one.archive is archive and one.running and not one.is_replica:
                one.seal()

    def _new_folder(self) -> Path:
        return self._programs.make_directory(self._directory / str(next(self._numbers)))


def _free_endpoint(host: str) -> Endpoint:
    """At PostgreSQL's port, unless something on this machine listens there on all addresses."""
    for port in (_PORT, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return Endpoint(host, probe.getsockname()[1])
    raise RuntimeError(f"no port of {host} is free")


def _remove_tree(path: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(path)
