"""What the in-memory cloud does when several of its clients work at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.ports.object_store import ObjectRef, WriteOptions
from airflow_multicloud.testing.memory_cloud.object_store import Hook, reset
from airflow_multicloud.testing.memory_cloud.object_store.space import space

if TYPE_CHECKING:
    import pytest


def test_an_upload_may_end_while_the_left_ones_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    reset("ending")
    hook, held = Hook("ending"), space("ending")
    hook.ensure_bucket("lab")
    upload = hook.begin_upload(ObjectRef("lab", "key"))

    class Ending:
        """A lock, and another client that ends all uploads whenever it is released."""

        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            held.bucket("lab").uploads.clear()

    monkeypatch.setattr(held, "lock", Ending())
    left = hook.left_uploads(upload.ref, WriteOptions())
    assert [one.upload for one in left] == [upload]
