"""Any name is kept, found and read; nothing becomes another's."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

import uuid
from typing import ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.testing.contracts.secrets.rigs import SecretsRig

_NAMES = (
    "plain",
    "Capital",
    "capital",
    "path/to/db",
    "path_to_db",
    "path-to-db",
    "path--to--db",
    "path__to__db",
    "path==to==db",
    "dots.and spaces",
    "Größe/日本",
    "100%",
    "a=2fb",
    "ends with a line\n",
)


class NameContract:
    """Names are the same on every cloud."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_every_name_is_itself(self, secrets_rig: SecretsRig) -> None:
        """It is described, listed and read by what it was written as."""
        names = [secrets_rig.name(end) for end in _NAMES]
        for name in names:
            secrets_rig.write(name, f"of {name!r}".encode())
        assert sorted(secrets_rig.found()) == sorted(names)
        for name in names:
            assert secrets_rig.describe(name).name == name
            assert secrets_rig.hook.read_secret(name).name == name
            assert secrets_rig.value(name) == f"of {name!r}".encode()
        assert len({*map(secrets_rig.cloud_name, names)}) == len(names)

    def test_a_prefix(self, secrets_rig: SecretsRig) -> None:
        """It is of the name as people write it, by letters and by case."""
        for end in ("App/db", "App/data", "app/db", "App", "über", "ünder"):
            secrets_rig.write(secrets_rig.name(end))

        def ends(prefix: str) -> list[str]:
            found = secrets_rig.hook.find_secrets(secrets_rig.name(prefix))
            return sorted(secret.name.removeprefix(secrets_rig.name("")) for secret in found)

        assert ends("App/d") == ["App/data", "App/db"]
        assert ends("App") == ["App", "App/data", "App/db"]
        assert ends("app") == ["app/db"]
        assert ends("ü") == ["über", "ünder"]
        assert ends("b") == []

    def test_more_than_a_page(self, secrets_rig: SecretsRig) -> None:
        """All are listed, each once."""
        names = [secrets_rig.name(f"{number:03}") for number in range(secrets_rig.spec.page + 2)]
        for name in names:
            secrets_rig.write_outside(b"value", name)
        assert sorted(secrets_rig.found()) == names

    def test_one_that_nothing_is_encoded_as(self, secrets_rig: SecretsRig) -> None:
        """It is listed as what it is, and no name reaches it."""
        odd = secrets_rig.name(f"x{secrets_rig.spec.odd_end}")
        secrets_rig.outside.write(odd, b"not to be reached")
        secrets_rig.write(secrets_rig.name("y"))
        found = secrets_rig.found()
        assert not found[odd].addressable
        assert found[secrets_rig.name("y")].addressable
        with pytest.raises(SecretsError) as caught:
            secrets_rig.value(odd)
        assert caught.value.kind is ErrorKind.NOT_FOUND

    @pytest.mark.parametrize("name", ["", "n" * 3000, "\ud800"], ids=["empty", "long", "half"])
    def test_one_that_can_not_be(self, secrets_rig: SecretsRig, name: str) -> None:
        """It is refused before anything is sent."""
        before = secrets_rig.asked()
        for use in (
            secrets_rig.hook.check_secret_name,
            secrets_rig.hook.describe_secret,
            secrets_rig.hook.read_secret,
            lambda one: secrets_rig.hook.write_secret(
                one, b"value", token=str(uuid.uuid4()), replaces=None
            ),
            lambda one: secrets_rig.hook.remove_secret(one, version="1" * 32),
            lambda one: secrets_rig.hook.tag_secret(one, {}, version="1" * 32),
            lambda one: list(secrets_rig.hook.list_secret_versions(one)),
        ):
            with pytest.raises(SecretsError, match="name") as caught:
                use(name)
            assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
            assert caught.value.cloud == secrets_rig.spec.cloud
        assert secrets_rig.asked() == before

    def test_the_store_has_a_name(self, secrets_rig: SecretsRig) -> None:
        """The same for every hook of it."""
        store = secrets_rig.hook.describe_store()
        assert store.id
        assert all(store.also)
        assert secrets_rig.reopen().describe_store() == store
