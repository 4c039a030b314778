"""Whose key is this? The configured keys, compared so that time tells nothing about them."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, Self

from openai_gateway.api.keys import KeyKind, kind_of
from openai_gateway.core.secret import Secret

REJECT: Final = "reject"
ACCEPT: Final = "accept"
# Whatever a mapping says by fingerprint, these never pass.
_NEVER: Final = frozenset({KeyKind.ADMIN, KeyKind.SESSION, KeyKind.EPHEMERAL, KeyKind.WEBHOOK})


class HasKey(Protocol):
    """A secret that came by reference."""

    @property
    def secret(self) -> Secret: ...


class HasIdentity(Protocol):
    """A key by its sha256, with its value where that is known."""

    @property
    def digest(self) -> bytes: ...
    @property
    def secret(self) -> Secret | None: ...


class HasMapping(Protocol):
    """One entry of keys.mappings."""

    @property
    def name(self) -> str: ...
    @property
    def production(self) -> Sequence[HasIdentity]: ...
    @property
    def staging(self) -> HasKey | None: ...
    @property
    def organization(self) -> str | None: ...
    @property
    def project(self) -> str | None: ...


class HasKeys(Protocol):
    """The section `keys` of gateway.yaml."""

    @property
    def mappings(self) -> Sequence[HasMapping]: ...
    @property
    def staging(self) -> str: ...
    @property
    def unknown(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """A key of mapping `name`, known by its sha256; `secret` is None where only that is known."""

    name: str
    digest: bytes = field(repr=False)
    secret: Secret | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeyMapping:
    """Production keys and the staging key that leaves in their place; None: they leave as is."""

    name: str
    productions: tuple[Identity, ...]
    staging: Secret | None = None
    organization: str | None = None
    project: str | None = None


class Found(StrEnum):
    """What a credential turned out to be."""

    PRODUCTION = "production"
    STAGING = "staging"
    STAND_IN = "stand-in"
    REFUSED_KIND = "refused kind"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Match:
    """What a credential is, and whose; no mapping where it is nobody's."""

    found: Found
    mapping: KeyMapping | None = None


class KeyRing:
    """The mappings of one configuration."""

    __slots__ = ("_digests", "_named", "accept_staging", "unknown")

    def __init__(
        self, mappings: Iterable[KeyMapping], accept_staging: bool, unknown: str | None
    ) -> None:
        """`unknown` names the mapping that stands in for unknown keys.

        Raises: KeyError where there is no such mapping; ValueError for two of one name.
        """
        mappings = tuple(mappings)
        self._named = {mapping.name: mapping for mapping in mappings}
        if len(self._named) != len(mappings):
            raise ValueError("two key mappings have one name")
        self.accept_staging = accept_staging
        self.unknown = None if unknown is None else self._named[unknown]
        # Production first: a key that is both is treated as the one that must not leave.
        self._digests = tuple(
            (identity.digest, Match(Found.PRODUCTION, mapping))
            for mapping in mappings
            for identity in mapping.productions
        ) + tuple(
            (mapping.staging.digest(), Match(Found.STAGING, mapping))
            for mapping in mappings
            if mapping.staging is not None
        )

    @classmethod
    def from_config(cls, keys: HasKeys) -> Self:
        """The ring that gateway.yaml describes. Raises: as the constructor."""
        mappings = (
            KeyMapping(
                name=entry.name,
                productions=tuple(
                    Identity(entry.name, key.digest, key.secret) for key in entry.production
                ),
                staging=entry.staging.secret if entry.staging is not None else None,
                organization=entry.organization,
                project=entry.project,
            )
            for entry in keys.mappings
        )
        unknown = None if keys.unknown == REJECT else keys.unknown
        return cls(mappings, keys.staging == ACCEPT, unknown)

    def identify(self, credential: Secret) -> Match:
        """What this credential is. Every known digest is compared, whichever matches."""
        digest = credential.digest()
        match = Match(Found.UNKNOWN)
        for known, whose in self._digests:
            same = hmac.compare_digest(digest, known)
            if same and match.mapping is None:
                match = whose
        if kind_of(credential) in _NEVER:
            return Match(Found.REFUSED_KIND)
        if match.mapping is None and self.unknown is not None:
            return Match(Found.STAND_IN, self.unknown)
        return match

    def named(self, name: str) -> KeyMapping | None:
        """The mapping of this name."""
        return self._named.get(name)

    def productions(self) -> tuple[Identity, ...]:
        """Every production key of every mapping."""
        return tuple(
            identity for mapping in self._named.values() for identity in mapping.productions
        )
