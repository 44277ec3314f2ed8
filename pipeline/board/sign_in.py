"""Signing in with any OpenID provider: people by a page and a cookie, machines by a bearer token.

The cookie holds a random id and nothing else; who that is stands in this process, so a restart signs everybody out.
A new id is given at each sign-in: one that somebody planted before is worth nothing.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2
from authlib.integrations.starlette_client import OAuth, OAuthError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from pipeline.board.identity import NotKnown, Person, person_of

SESSION_S = 8 * 3_600
"""A working day: then somebody signs in again."""
IDLE_S = 3_600
DRAFT_S = 600
"""So long an act waits for its second person."""
KEYS_EVERY_S = 300.0
ALGORITHMS = ["ES256", "ES384", "RS256", "PS256", "EdDSA"]


class ProviderAway(Exception):
    """The identity provider does not answer."""


class NoToken(Exception):
    """A bearer token is missing, is not valid, or says too little; the text is one of our codes."""


@dataclass(slots=True)
class Draft:
    """What waits until a second person has signed in to look along: an act, or a message that is handed in again."""

    kind: Literal["act", "redrive"]
    said: dict[str, Any]
    back: str
    began: float
    words: list[tuple[str, str]]
    """What the second person reads before agreeing: names and values."""
    second: Person | None = None
    """Who has signed in to look along."""


@dataclass(slots=True)
class Session:
    """One signed-in person at one browser."""

    person: Person
    csrf: str
    until: float
    seen: float
    drafts: dict[str, Draft] = field(default_factory=dict)
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """What the next page says once: keys of the catalogue and their values."""


class Sessions:
    """Everybody who is signed in, in memory."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._known: dict[str, Session] = {}

    def begin(self, request: Request, person: Person) -> Session:
        """A new session with a new id; the one before is over."""
        self.end(request)
        now = self._now()
        self._known = {key: one for key, one in self._known.items() if one.until > now and one.seen + IDLE_S > now}
        key = secrets.token_urlsafe(32)
        self._known[key] = Session(person, secrets.token_urlsafe(24), now + SESSION_S, now)
        request.session["id"] = key
        return self._known[key]

    def of(self, connection: HTTPConnection, *, look: bool = True) -> Session | None:
        """The session of this browser; None when nobody is signed in, or not any more. What a page asks for by itself
        (``look`` false) is no sign that somebody is there."""
        found = self._known.get(str(connection.session.get("id", "")))
        now = self._now()
        if found is None or found.until < now or found.seen + IDLE_S < now:
            return None
        if look:
            found.seen = now
        return found

    def end(self, request: Request) -> None:
        """Sign out."""
        self._known.pop(str(request.session.get("id", "")), None)
        request.session.clear()


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody who came back from the provider; ``draft`` is what a second person came for, ``at`` when that one has
    shown who it is (s since 1970)."""

    person: Person
    draft: str | None
    at: float
    back: str


class SignIn:
    """The way to a provider and back. For whom a second person comes stands in the state that goes along, which the
    provider gives back and the cookie confirms: no other window of the same browser can change that."""

    def __init__(self, issuer: str, client_id: str, client_secret: str | None, callback: str) -> None:
        self._issuer, self._client_id, self._callback = issuer, client_id, callback
        self._oauth = OAuth()
        self._oauth.register(
            "provider",
            client_id=client_id,
            client_secret=client_secret,
            server_metadata_url=f"{issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
        )
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    async def go(self, request: Request, *, back: str, draft: str | None = None) -> Response:
        """To the provider; with ``draft`` for a second person, who signs in anew. Raises ``ProviderAway``."""
        request.session["back"] = back
        more: dict[str, Any] = {"state": f"{secrets.token_urlsafe(16)}.{draft or ''}"}
        if draft is not None:
            more |= {"prompt": "login", "max_age": 0}
        try:
            found: Response = await self._oauth.provider.authorize_redirect(request, self._callback, **more)
        except (httpx2.HTTPError, OAuthError):
            raise ProviderAway from None
        return found

    async def came(self, request: Request) -> Came:
        """Who came back, and for what; raises ``NotKnown``, ``OAuthError``."""
        draft = request.query_params.get("state", "").partition(".")[2] or None
        claims = (await self._oauth.provider.authorize_access_token(request))["userinfo"]
        back = str(request.session.pop("back", "/"))
        return Came(person_of(claims), draft, float(claims.get("auth_time") or 0), back)

    async def bearer(self, given: str | None) -> Person:
        """Who a bearer token is about; ``NoToken``."""
        kind, _, token = (given or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise NoToken("token_missing")
        try:
            keys = await self._provider_keys()
            found = jwt.decode(token, keys, algorithms=ALGORITHMS)
            registry = jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._client_id},
                exp={"essential": True},
            )
            registry.validate(found.claims)
            return person_of(found.claims)
        except NotKnown:
            raise NoToken("token_claims") from None
        except (JoseError, ValueError):
            raise NoToken("token_invalid") from None

    async def _provider_keys(self) -> KeySet:
        """The provider's keys, looked up now and then. While it does not answer, those that it had are good."""
        if self._keys is None or time.monotonic() - self._keys_at > KEYS_EVERY_S:
            try:
                async with httpx2.AsyncClient(timeout=5) as client:
                    known = f"{self._issuer}/.well-known/openid-configuration"
                    about = (await client.get(known)).raise_for_status().json()
                    keys = (await client.get(about["jwks_uri"])).raise_for_status().json()
                self._keys, self._keys_at = KeySet.import_key_set(keys), time.monotonic()
            except (httpx2.HTTPError, KeyError, ValueError):
                if self._keys is None:
                    raise ProviderAway from None
        return self._keys
