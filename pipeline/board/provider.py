"""A small OpenID provider for development: everybody in it is invented, and there is no password.

It is served by the board itself, only where ``development`` is set and no other provider is named. It knows the
authorization code with PKCE for people and client credentials for machines, and nothing else.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from agents.policy.region import RegionConfig
from pipeline.board.identity import CLAIM

CODE_S, TOKEN_S = 60, 3_600
CENTRE = {
    "bureaudienst": "duty-officer",
    "beoordelaar": "vt-worker",
    "gedragswetenschapper": "vt-worker",
    "teamleider": "vt-worker",
    "jurist": "vt-worker",
    "coordinator": "operator",
    "beleidsmaker": "policy-maker",
    "toezichthouder": "auditor",
}
"""Function at the centre -> role; two people of each, so that a second one can look along."""


@dataclass(slots=True)
class _Asked:
    person: str
    client: str
    challenge: str
    nonce: str | None
    redirect_uri: str
    until: float


@dataclass(slots=True)
class Provider:
    """Issues tokens for the invented people of these regions, as ``issuer``."""

    issuer: str
    client_id: str
    regions: Mapping[str, RegionConfig]
    templates: Jinja2Templates
    _key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}))
    _codes: dict[str, _Asked] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """Its doors."""
        return [
            Route("/.well-known/openid-configuration", self._about),
            Route("/jwks", self._jwks),
            Route("/authorize", self._authorize, methods=["GET", "POST"]),
            Route("/token", self._token, methods=["POST"]),
        ]

    def people(self) -> dict[str, dict[str, Any]]:
        """Code -> what is claimed of that person."""
        found: dict[str, dict[str, Any]] = {}
        for name, region in self.regions.items():
            short = "".join(part[0] for part in name.split("-"))
            for function, role in CENTRE.items():
                for number in (1, 2):
                    claims = {"roles": [role], "region": name, "function": function}
                    found[f"{function}-{number}.{short}"] = claims
            for receiver in region.directory.own():
                if receiver.kind != "DESK":
                    found[f"lid.{receiver.id}"] = {"roles": ["team-member"], "region": name, "receivers": [receiver.id]}
        return found

    def machines(self) -> dict[str, dict[str, Any]]:
        """Client id -> what is claimed: the sources, and the receivers' own systems."""
        found: dict[str, dict[str, Any]] = {}
        for name, region in self.regions.items():
            for source in region.sources:
                found[source.id] = {"roles": ["publisher"], "region": name, "sources": [source.id]}
            for receiver in region.directory.own():
                found[f"systeem.{receiver.id}"] = {
                    "roles": ["team-member"], "region": name, "receivers": [receiver.id],
                }  # fmt: skip
        return found

    def token(self, subject: str, claims: Mapping[str, Any], audience: str, nonce: str | None = None) -> str:
        """A signed token."""
        now = int(time.time())
        said = {
            "iss": self.issuer, "sub": subject, "preferred_username": subject, "aud": audience, "iat": now,
            "exp": now + TOKEN_S, "auth_time": now, CLAIM: claims, **({"nonce": nonce} if nonce else {}),
        }  # fmt: skip
        return jwt.encode({"alg": "ES256", "kid": self._key.thumbprint()}, said, self._key)

    async def _about(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": [{**self._key.as_dict(private=False), "kid": self._key.thumbprint()}]})

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        person = (await request.form()).get("person") if request.method == "POST" else None
        known = self.people()
        if person is None:
            page = {"people": known, "query": str(request.url.query)}
            return self.templates.TemplateResponse(request, "provider.html", page)
        if person not in known or asked.get("client_id") != self.client_id or not asked.get("code_challenge"):
            return HTMLResponse("400", status_code=400)
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Asked(
            str(person), self.client_id, asked["code_challenge"], asked.get("nonce"), asked["redirect_uri"],
            time.time() + CODE_S,
        )  # fmt: skip
        back = urlencode({"code": code, "state": asked.get("state", "")})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", status_code=303)

    async def _token(self, request: Request) -> Response:
        said = await request.form()
        if said.get("grant_type") == "client_credentials":
            client, claims = _client(request, said), self.machines()
            if client not in claims:
                return JSONResponse({"error": "invalid_client"}, status_code=401)
            return self._issued(self.token(client, claims[client], self.client_id), None)
        asked = self._codes.pop(str(said.get("code")), None)
        proof = hashlib.sha256(str(said.get("code_verifier", "")).encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        if asked is None or asked.until < time.time() or challenge != asked.challenge:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        if said.get("redirect_uri") != asked.redirect_uri:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        claims_of = self.people()[asked.person]
        token = self.token(asked.person, claims_of, asked.client, asked.nonce)
        return self._issued(token, token)

    @staticmethod
    def _issued(access: str, identity: str | None) -> Response:
        said = {"access_token": access, "token_type": "Bearer", "expires_in": TOKEN_S}
        return JSONResponse({**said, **({"id_token": identity} if identity else {})})


def _client(request: Request, said: Mapping[str, Any]) -> str:
    """The client's id, from the form or from HTTP Basic; any secret will do here."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            return base64.b64decode(given).decode().partition(":")[0]
        except ValueError:
            return ""
    return str(said.get("client_id", ""))
