"""Credentials for a part of what the caller may do."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import ScopedTokens
from airflow_multicloud.testing.contracts.identity.permission_rigs import TokensRig


class ScopedTokensContract:
    """The port's ``ScopedTokens``."""

    needs: ClassVar[tuple[type, ...]] = (ScopedTokens,)

    def test_is_good_for_what_was_asked(self, tokens_rig: TokensRig) -> None:
        """Every action on every resource."""
        case = tokens_rig.case
        token = tokens_rig.hook.scoped_token(case.scope)
        for action in case.scope.actions:
            for resource in case.scope.resources:
                assert tokens_rig.use(token, action, resource)

    def test_is_refused_other_actions(self, tokens_rig: TokensRig) -> None:
        """Which the caller may do."""
        case = tokens_rig.case
        token = tokens_rig.hook.scoped_token(case.scope)
        assert not tokens_rig.use(token, case.other_action, case.scope.resources[0])

    def test_is_refused_other_resources(self, tokens_rig: TokensRig) -> None:
        """On which the caller may do the same."""
        case = tokens_rig.case
        token = tokens_rig.hook.scoped_token(case.scope)
        assert not tokens_rig.use(token, case.scope.actions[0], case.other_resource)

    def test_ends_in_time(self, tokens_rig: TokensRig) -> None:
        """With a time zone, and no later than asked."""
        case = tokens_rig.case
        token = tokens_rig.hook.scoped_token(case.scope)
        assert token.expires_at.utcoffset() == timedelta(0)
        assert datetime.now(UTC) < token.expires_at <= datetime.now(UTC) + case.scope.valid_for

    def test_shows_no_credentials(self, tokens_rig: TokensRig) -> None:
        """Neither as text nor in a message that is formatted with it."""
        token = tokens_rig.hook.scoped_token(tokens_rig.case.scope)
        assert token.credentials
        for secret in token.credentials.values():
            assert secret
            assert secret not in f"{token} {token!r}"

    def test_airflows_masker_is_told(self, tokens_rig: TokensRig) -> None:
        """So no log shows what opens anything; the name of a key may be shown."""
        # Imported here and not above: Airflow must not load before pytest is configured.
        from airflow.providers.common.compat.sdk import redact

        token = tokens_rig.hook.scoped_token(tokens_rig.case.scope)
        for name, secret in token.credentials.items():
            if name != "access_key":
                assert redact(f"so: {secret}.") == "so: ***."

    def test_two_are_not_the_same(self, tokens_rig: TokensRig) -> None:
        """Each has credentials of its own."""
        scope = tokens_rig.case.scope
        one, other = (tokens_rig.hook.scoped_token(scope) for _ in range(2))
        assert one.credentials["token"] != other.credentials["token"]

    @pytest.mark.parametrize("valid_for", [timedelta(0), timedelta(seconds=-1), timedelta(days=9)])
    def test_no_token_can_be_had_for_that_long(
        self, tokens_rig: TokensRig, valid_for: timedelta
    ) -> None:
        """One that would be good for longer than asked is none, nor is one for no time."""
        case = tokens_rig.case
        if valid_for > timedelta(0) and not case.has_longest:
            token = tokens_rig.hook.scoped_token(replace(case.scope, valid_for=valid_for))
            assert token.expires_at <= datetime.now(UTC) + valid_for
            return
        with pytest.raises(CredentialsError, match="valid_for") as caught:
            tokens_rig.hook.scoped_token(replace(case.scope, valid_for=valid_for))
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert caught.value.cloud == tokens_rig.cloud

    @pytest.mark.parametrize("field", ["actions", "resources"])
    def test_a_token_for_nothing_is_refused(self, tokens_rig: TokensRig, field: str) -> None:
        """It could be taken for one without limits."""
        nothing: dict[str, Any] = {field: ()}
        with pytest.raises(CredentialsError, match=field) as caught:
            tokens_rig.hook.scoped_token(replace(tokens_rig.case.scope, **nothing))
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_what_cannot_be_narrowed_is_refused(self, tokens_rig: TokensRig) -> None:
        """A resource that is none of this cloud's."""
        scope = replace(tokens_rig.case.scope, resources=("nothing of this cloud's",))
        with pytest.raises(CredentialsError, match="resource") as caught:
            tokens_rig.hook.scoped_token(scope)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
