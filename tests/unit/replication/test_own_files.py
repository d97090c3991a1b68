"""This package's own files: read within limits, refused when damaged, deleted oldest first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_multicloud.core import records
from airflow_multicloud.core.replication import retention
from airflow_multicloud.errors import CloudError, ErrorKind, RetentionError, StorageError
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store

from . import memory

KEY = ".airflow-multicloud/file.jsonl"


def holding(content: bytes) -> memory.Endpoint:
    end = memory.endpoint()
    end.store.put_object(end.ref(KEY), content)
    return end


class TestLines:
    def test_each(self) -> None:
        assert list(records.lines(holding(b"a\n\nb\n"), KEY)) == [b"a", b"", b"b"]
        assert list(records.lines(holding(b""), KEY)) == []

    def test_one_that_is_cut_off(self) -> None:
        with pytest.raises(StorageError, match="the last line is cut off") as caught:
            list(records.lines(holding(b"a\nb"), KEY))
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_one_that_never_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(records, "_LONGEST", 10)
        assert list(records.lines(holding(b"a" * 9 + b"\n"), KEY)) == [b"a" * 9]
        with pytest.raises(StorageError, match="a line is longer than 10 bytes"):
            list(records.lines(holding(b"a" * 11), KEY))

    def test_a_whole_object(self) -> None:
        assert records.whole(holding(b"a" * 10), KEY, most=10) == b"a" * 10
        with pytest.raises(StorageError, match="it is larger than 10 bytes"):
            records.whole(holding(b"a" * 11), KEY, most=10)

    @pytest.mark.parametrize(("broken", "kind"), [(1, None), (2, ErrorKind.INTEGRITY)])
    def test_an_answer_that_breaks_off_is_asked_for_once_more(
        self, broken: int, kind: ErrorKind | None
    ) -> None:
        class Breaking(object_store.Hook):
            left = broken

            def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
                if self.left:
                    self.left -= 1
                    raise StorageError("3 of 10 bytes arrived", kind=ErrorKind.INTEGRITY)
                return super().get_object(ref, **limits)

        end = holding(b"a" * 10)
        end = replace(end, store=Breaking(memory.conn_of(end)))
        if kind is None:
            assert records.whole(end, KEY) == b"a" * 10
        else:
            with pytest.raises(StorageError, match="3 of 10 bytes arrived") as caught:
                records.whole(end, KEY)
            assert caught.value.kind is kind

    def test_whatever_else_fails_is_not_asked_for_again(self) -> None:
        class Refusing(object_store.Hook):
            asked = 0

            def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
                self.asked += 1
                raise StorageError("no", kind=ErrorKind.PERMISSION_DENIED)

        end = holding(b"")
        store = Refusing(memory.conn_of(end))
        with pytest.raises(StorageError, match="no"):
            records.whole(replace(end, store=store), KEY)
        assert store.asked == 1


class TestVersions:
    def known(self, document: bytes) -> None:
        records.known_version(memory.endpoint(), KEY, document, "format", 1)

    def test_ours(self) -> None:
        self.known(b'{"format":1}')

    @pytest.mark.parametrize("version", [b"0", b"2", b'"1"'])
    def test_another(self, version: bytes) -> None:
        with pytest.raises(StorageError, match="it is of version") as caught:
            self.known(b'{"format":' + version + b"}")
        assert caught.value.kind is ErrorKind.UNSUPPORTED

    @pytest.mark.parametrize("document", [b"{}", b'{"format":null}', b"[]", b"{", b""])
    def test_none(self, document: bytes) -> None:
        with pytest.raises(StorageError, match="it is damaged") as caught:
            self.known(document)
        assert caught.value.kind is ErrorKind.INTEGRITY


class Kept(object_store.Hook):
    """Some keys can't be deleted; deleting others fails."""

    kept = "c"
    gone = "b"
    broken = "-"

    def delete_object(self, ref: ObjectRef, **options: object) -> None:
        if ref.key == self.kept:
            raise RetentionError("kept until 2030", kind=ErrorKind.PERMISSION_DENIED)
        if ref.key == self.gone:
            raise StorageError("not there", kind=ErrorKind.NOT_FOUND)
        if ref.key == self.broken:
            raise StorageError("not today", kind=ErrorKind.UNAVAILABLE)
        super().delete_object(ref)


class TestRetention:
    def keys(self, *names: str) -> memory.Endpoint:
        end = memory.endpoint("", Kept)
        for name in names:
            end.store.put_object(end.ref(name), b"")
        return end

    def left(self, end: memory.Endpoint) -> list[str]:
        return [meta.key for meta in end.store.list_objects(end.bucket)]

    def test_all_are_deleted(self) -> None:
        """Also when another run was there first."""
        end = self.keys("a", "d")
        assert retention.delete_all(end, ["a", "b", "d"], "files") is None
        assert self.left(end) == []

    def test_the_first_that_is_kept_ends_it(self) -> None:
        end = self.keys("a", "c", "d", "e")
        said = retention.delete_all(end, ["a", "c", "d", "e"], "files")
        assert said is not None
        assert said.startswith("3 files can't be deleted yet, the oldest c: ")
        assert self.left(end) == ["c", "d", "e"]

    def test_another_error_is_one(self) -> None:
        end = self.keys("a")
        assert isinstance(end.store, Kept)
        end.store.broken = "a"
        with pytest.raises(CloudError, match="not today"):
            retention.delete_all(end, ["a"], "files")
