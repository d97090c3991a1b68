"""Keys are exact: each travels unharmed, or the store says beforehand that it refuses it."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.ports.object_store import KeyRules
from airflow_multicloud.testing.contracts.object_store.checks import fails, keys_in, put, read

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig

AWKWARD_KEYS = {
    "double_slash": "a//b",
    "leading_slash": "/lead",
    "dot_dot": "a/../b",
    "dot": "./a",
    "only_dot": ".",
    "only_dot_dot": "..",
    "trailing_slash": "dir/",
    "trailing_dot": "name.",
    "trailing_space": "name ",
    "space": "sp ace",
    "plus": "pl+us",
    "percent": "100%",
    "escaped_letter": "%41",
    "escaped_slash": "a%2Fb",
    "nfc": "\u00e9",
    "nfd": "e\u0301",
    "emoji": "\U0001f680",
    "longest": "k" * 1024,
    "longest_utf8": "\u00e9" * 512,
    "question_mark": "q?x=1",
    "hash": "h#h",
    "equals_and": "a=b&c",
    "backslash": "back\\slash",
    "star": "*star",
    "brackets": "[a]{b}",
    "quotes": "\"double\" 'single'",
    "less_than": "<a>&amp;",
    "colon": "a:b@c",
    "tilde": "~a!$(),;",
    "control": "ctrl\x01",
    "newline": "new\nline",
    "tab": "a\tb",
    "delete_character": "a\x7fb",
}

_TWINS = {
    "nfc_nfd": ("\u00e9", "e\u0301"),
    "escaped": ("%41", "A"),
    "escaped_slash": ("a%2Fb", "a/b"),
    "double_slash": ("a//b", "a/b"),
    "dot": ("./a", "a"),
    "dot_dot": ("a/../b", "b"),
    "leading_slash": ("/a", "a"),
    "trailing_slash": ("dir/", "dir"),
    "under_an_object": ("dir/a", "dir"),
    "plus_space": ("a+b", "a b"),
    "case": ("Key", "key"),
    "trailing_space": ("a ", "a"),
    "backslash": ("a\\b", "a/b"),
}


def _refused(rig: StoreRig, key: str) -> bool:
    return isinstance(rig.store, KeyRules) and rig.store.why_not_key(key) is not None


class AwkwardKeysContract:
    """Keys that clients and servers like to mangle."""

    needs: ClassVar[tuple[type, ...]] = ()

    @pytest.mark.parametrize("name", AWKWARD_KEYS)
    def test_key_travels_or_is_refused(self, rig: StoreRig, name: str) -> None:
        """Put, list, stat, get and delete all mean this very key."""
        key = AWKWARD_KEYS[name]
        ref = rig.ref(key)
        if _refused(rig, key):
            with fails(rig):
                put(rig.store, ref, b"content")
            assert keys_in(rig.store, rig.bucket) == []
            return
        assert put(rig.store, ref, b"content").key == key
        assert keys_in(rig.store, rig.bucket) == [key]
        assert keys_in(rig.store, rig.bucket, key) == [key]
        stat = rig.store.stat_object(ref)
        assert (stat.key, stat.size) == (key, 7)
        assert read(rig.store, ref) == b"content"
        rig.store.delete_object(ref)
        assert keys_in(rig.store, rig.bucket) == []

    @pytest.mark.parametrize("name", _TWINS)
    def test_twins_stay_apart(self, rig: StoreRig, name: str) -> None:
        """Two keys that differ name two objects."""
        held = [key for key in _TWINS[name] if not _refused(rig, key)]
        for key in held:
            put(rig.store, rig.ref(key), key.encode())
        assert keys_in(rig.store, rig.bucket) == sorted(held)
        assert [read(rig.store, rig.ref(key)) for key in held] == [key.encode() for key in held]
        rig.store.delete_object(rig.ref(held[0]))
        assert keys_in(rig.store, rig.bucket) == sorted(held[1:])


class KeyRulesContract:
    """The port's ``KeyRules``."""

    needs: ClassVar[tuple[type, ...]] = (KeyRules,)

    def test_plain_key(self, rig: StoreRig) -> None:
        """An ordinary key is not refused."""
        assert rig.capability(KeyRules).why_not_key("dir/name-1.txt") is None

    @pytest.mark.parametrize(
        "key",
        [
            pytest.param("", id="empty"),
            pytest.param("k" * 1025, id="too_long"),
            pytest.param("\ud800", id="lone_surrogate"),
        ],
    )
    def test_impossible_key(self, rig: StoreRig, key: str) -> None:
        """No cloud holds these; the reason is a text."""
        assert rig.capability(KeyRules).why_not_key(key)
