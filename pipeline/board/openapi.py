"""``openapi.json``, made of the doors of the API and of the messages they take and give."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

if TYPE_CHECKING:
    from pipeline.board.doors import Door

API_VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457, with all errors together.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail")},
            },
        },
    },
}
_WRONG = {"400": "Wat gevraagd werd klopt niet; alle fouten staan erin / what was asked is not right, with all errors"}
_WHO = {
    "401": "Geen geldig token / no valid token",
    "403": "Dit mag u niet / you may not do that",
    "404": "Niet gevonden, of niet van u / not found, or not yours",
    "409": "Kan niet, zoals het nu staat / not possible as things stand",
}
_AWAY = {"503": "De broker antwoordt niet; probeer het later / the broker does not answer; try again later"}


def document(doors: "Iterable[Door]", public_url: str) -> dict[str, Any]:
    """OpenAPI 3.1."""
    doors = list(doors)
    models: list[type[BaseModel]] = [model for door in doors for model in (door.takes, door.gives) if model is not None]
    _, schemas = models_json_schema([(model, "validation") for model in dict.fromkeys(models)], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for door in doors:
        paths.setdefault(door.path, {})[door.method.lower()] = _operation(door)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Meldstroom",
            "version": API_VERSION,
            "description": "Meldingen aanbieden, overdrachten beantwoorden, zaken en termijnen volgen / hand reports "
            "in, answer handovers, follow cases and terms.",
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
            "contact": {"name": "Meldstroom", "url": public_url, "email": "beheer@meldstroom.example"},
        },
        "servers": [{"url": public_url}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": {**schemas.get("$defs", {}), "HttpProblem": _PROBLEM},
            "headers": {"API-Version": {"schema": {"type": "string"}, "description": "Versie / version"}},
        },
    }


def _operation(door: "Door") -> dict[str, Any]:
    header = {"API-Version": {"$ref": "#/components/headers/API-Version"}}
    schema = {"$ref": _REF.format(model=door.gives.__name__)} if door.gives is not None else {}
    body = {door.media: {"schema": schema}}
    responses: dict[str, Any] = {str(door.code): {"description": "Gelukt / done", "headers": header, "content": body}}
    wrong = {**_WRONG, **(_WHO if door.rights else {}), **(_AWAY if door.code == 202 else {})}
    for code, about in wrong.items():
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/HttpProblem"}}}
        responses[code] = {"description": about, "headers": header, "content": problem}
    found: dict[str, Any] = {
        "operationId": door.name,
        "summary": door.about.split(". ")[0].rstrip("."),
        "description": door.about,
        "responses": responses,
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", door.path)
    ]
    parameters += [
        {
            "name": one.name, "in": "query", "description": one.about,
            "schema": {"type": "string", **({"enum": list(one.choices)} if one.choices else {})},
        }
        for one in door.query
    ]  # fmt: skip
    if parameters:
        found["parameters"] = parameters
    if door.takes is not None:
        schema = {"$ref": _REF.format(model=door.takes.__name__)}
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if not door.rights:
        found["security"] = []
    return found
