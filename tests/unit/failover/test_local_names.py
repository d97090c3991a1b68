"""Names of objects as paths below a directory: each has its own, and tells its name."""
# ruff: noqa: RUF001 - characters that look like others are what this is about

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_multicloud.core.failover import placing
from airflow_multicloud.core.failover.local_names import (
    POSIX,
    QUOTE,
    WINDOWS,
    NameRules,
    clash,
    name_of_path,
    parts_of,
    shortened,
)
from airflow_multicloud.core.failover.names import Names
from airflow_multicloud.core.failover.targets import FileTarget, UnfitError

RULES = pytest.mark.parametrize("rules", [POSIX, WINDOWS], ids=["posix", "windows"])
#: What is special somewhere, and some that is not.
CHARS = '/./. \0\x01\x1f␀␁␠．：:*?\\"<>|＼' + QUOTE + "aAé字"
SEGMENTS = st.one_of(
    st.text(CHARS, max_size=6),
    st.sampled_from(["", ".", "..", "．", "．．", "．.", QUOTE, "CON", "nul.txt", "COM1", "a. "]),
    st.text(max_size=4).filter(lambda text: "/" not in text),
)
NAMES = st.lists(SEGMENTS, min_size=1, max_size=5).map("/".join)


@RULES
@given(name=NAMES)
@example(name="")
@example(name="/")
@example(name="//")
@example(name="a/")
@example(name="../../etc/passwd")
@example(name="a\0b")
@example(name=f"{QUOTE}/{QUOTE}{QUOTE}/{QUOTE}.")
def test_a_path_tells_its_name(rules: NameRules, name: str) -> None:
    """So two names never have one path."""
    parts = parts_of(name, rules)
    assert name_of_path(PurePosixPath(*parts), rules) == name
    if name.endswith("/"):
        assert name_of_path(PurePosixPath(*parts[:-1]), rules, directory=True) == name


@RULES
@given(name=NAMES)
def test_a_path_stays_below_its_directory(rules: NameRules, name: str) -> None:
    parts = parts_of(name, rules)
    assert len(parts) == len(name.split("/"))
    for part in parts:
        assert part not in ("", ".", "..")
        assert not {"/", "\0"} & set(part)
    assert os.path.normpath(PurePosixPath("/top", *parts)) == "/top/" + "/".join(parts)


@given(name=NAMES)
def test_windows_gets_no_name_that_it_refuses(name: str) -> None:
    for part in parts_of(name, WINDOWS):
        assert not set('<>:"\\|?*') & set(part)
        assert min(part) >= " "
        assert part[-1] not in ". "
        assert part.partition(".")[0].upper() not in ("CON", "NUL", "COM1")


PLAIN = ("a", "a/b c/d.e", ".hidden", "...", "日本／語．txt", "CON", "a:b", "a\\b", "~", "-", "x.")


@pytest.mark.parametrize("name", PLAIN)
def test_what_a_file_system_can_hold_stays_as_it_is(name: str) -> None:
    assert "/".join(parts_of(name, POSIX)) == name


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a//b", "a/‛/b"),
        ("/a", "‛/a"),
        ("./a/../b", "‛./a/‛../b"),
        ("a\0b", "a␀b"),
        ("a␀b", "a‛␀b"),
        ("‛", "‛‛"),
    ],
)
def test_the_encoding_is_this_one(name: str, path: str) -> None:
    """People and programs read it: it stays so."""
    assert "/".join(parts_of(name, POSIX)) == path
    assert name_of_path(path, POSIX) == name


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a:b", "a：b"),
        ("a.", "a．"),
        ("con.txt", "‛con.txt"),
        ("Com9", "‛Com9"),
        ("lpt0 .x", "‛lpt0 .x"),
        ("COM10", "COM10"),
        ("a ", "a␠"),
        ("a b!", "a b!"),
        ("\x01", "␁"),
        ("\x1f", "␟"),
    ],
)
def test_on_windows_more_is_replaced(name: str, path: str) -> None:
    assert "/".join(parts_of(name, WINDOWS)) == path
    assert name_of_path(path, WINDOWS) == name


@pytest.mark.parametrize(
    ("names", "lost"),
    [
        (("a", "a/b"), {"a": "a/b"}),
        (("a", "a!", "a-b", "a/b/c", "b"), {"a": "a/b/c"}),
        (("a", "a/"), {"a/": "a"}),
        (("in/file", "in/file/"), {"in/file/": "in/file"}),
        (("in/file", "in/file/", "in/file/a"), {"in/file": "in/file/a"}),
        (("a", "a/", "a/b"), {"a": "a/b"}),
        (("a", "a//", "b/"), {"a": "a//"}),
        (("", "a", "a.", "ab", "/x"), {}),
        (("a/", "a/b/", "a/b/c"), {}),
    ],
)
def test_a_file_gives_way_to_a_directory_that_holds_something(
    names: tuple[str, ...], lost: dict[str, str]
) -> None:
    among = Names()
    among.add(names)
    assert {n: other for n in among if (other := clash(n, among)) is not None} == lost
    among.close()


@given(st.text(max_size=300))
def test_the_beginning_of_a_name_leaves_room(name: str) -> None:
    short = shortened(name)
    assert len(os.fsencode(short)) <= 100
    assert name.encode(errors="replace").startswith(short.encode())
    assert len(short) == min(100, len(name)) or not name.isascii()


def test_what_no_encoding_can_hold_is_refused(tmp_path: Path) -> None:
    top = FileTarget(tmp_path / "not" / "there")
    assert top.below("é" * 127).path.name == "é" * 127
    for name, why in (
        ("a/" + "é" * 128, "has 256 bytes, the longest name there 255"),
        ("a" * 256 + "/b", "has 256 bytes"),
        ("\0" * 86, "has 258 bytes"),
        ("\udc80", "can't be written in"),
        ("\ud800", "can't be written in"),
    ):
        with pytest.raises(UnfitError, match=f"^target: the key .* can't be below .*: .*{why}"):
            top.below(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("there", "above", "longest"),
    [
        (300, None, 300),
        (FileNotFoundError(), 300, 300),
        (OSError(), 300, 255),
        (AttributeError(), 300, 255),
        (ValueError(), 300, 255),
    ],
)
def test_the_file_system_tells_how_long_a_name_may_be(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: int | Exception,
    above: int | None,
    longest: int,
) -> None:
    """That of the nearest directory that is there; where none tells, it is what most have."""

    def pathconf(path: Path, name: str) -> int | None:
        assert name == "PC_NAME_MAX"
        if path != tmp_path:
            return above
        if isinstance(there, Exception):
            raise there
        return there

    monkeypatch.setattr(os, "pathconf", pathconf)
    target = FileTarget(tmp_path)
    target.below("x" * longest)
    with pytest.raises(UnfitError, match=f"the longest name there {longest}"):
        target.below("x" * (longest + 1))


@pytest.mark.parametrize("name", ["link/x", "link/", "in/../x", "loop/x", "file/x"])
def test_no_link_leads_outside(tmp_path: Path, name: str) -> None:
    top, outside = tmp_path / "top", tmp_path / "outside"
    top.mkdir()
    outside.mkdir()
    (top / "link").symlink_to(outside)
    (top / "loop").symlink_to(top / "loop")
    (top / "file").symlink_to(outside / "x")
    if name.startswith(("link", "file")):
        with pytest.raises(UnfitError, match="through a symbolic link"):
            FileTarget(top).below(name)
    else:
        assert FileTarget(top).below(name).path.is_relative_to(top)


def test_a_directory_may_be_deep(tmp_path: Path) -> None:
    """Deeper than functions may call themselves."""
    deep = tmp_path.joinpath(*"a" * 1200)
    placing.make_directory(deep)
    assert deep.is_dir()
    placing.make_directory(deep)
    # What removes temporary directories may call itself.
    while deep != tmp_path:
        deep.rmdir()
        deep = deep.parent


def test_something_else_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        placing.make_directory(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        placing.make_directory(tmp_path / "file" / "a" / "b")


class TestCapitals:
    """A file system that takes ``A`` and ``a`` for one name, as far as it is asked here."""

    @pytest.fixture(autouse=True)
    def _folding(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def lexists(path: Path) -> bool:
            return path.name.casefold() in {p.name.casefold() for p in path.parent.iterdir()}

        monkeypatch.setattr(os.path, "lexists", lexists)

    def put(self, directory: Path, name: str) -> None:
        temporary = directory / ".x.part"
        temporary.write_text(name)
        placing.put_in_place(temporary, directory / name)

    def test_the_file_of_another_name_is_not_replaced(self, tmp_path: Path) -> None:
        self.put(tmp_path, "a")
        with pytest.raises(FileExistsError, match="differs only in capitals"):
            self.put(tmp_path, "A")
        (tmp_path / ".x.part").unlink()
        self.put(tmp_path, "a")  # its own
        self.put(tmp_path, "b")
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "a", "b": "b"}


def test_this_file_system_tells_capitals_apart(tmp_path: Path) -> None:
    file = tmp_path / ".x.part"
    file.write_bytes(b"")
    assert placing.folds_case(file) is (tmp_path / ".X.PART").exists()
