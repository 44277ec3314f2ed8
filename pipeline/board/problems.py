"""What is wrong with a request, as RFC 9457 has it: 400 with all errors, in the language of who asks."""

from collections.abc import Iterable, Mapping

from starlette.requests import HTTPConnection
from starlette.responses import Response

from topics.offers import FieldError
from topics.problems import PROBLEM_TYPE
from topics.texts import Language, text

TYPE = "application/problem+json"
LANGUAGE_COOKIE = "taal"


def language_of(connection: HTTPConnection) -> Language:
    """The language that was chosen here, else the first of ours that the browser names, else Dutch."""
    chosen = connection.query_params.get("lang") or connection.cookies.get(LANGUAGE_COOKIE)
    asked = [chosen or "", *connection.headers.get("accept-language", "").split(",")]
    for one in asked:
        match one.strip()[:2].lower():
            case "nl":
                return "nl"
            case "en":
                return "en"
    return "nl"


class Wrong(Exception):
    """A request that cannot be done; ``code`` names its sentences in the catalogue."""

    def __init__(
        self,
        status: int,
        code: str,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.errors, self.values = status, code, tuple(errors), values
        self.headers = dict(headers or {})

    def said(self, language: Language) -> dict[str, object]:
        """The problem, in one language."""
        return {
            "type": PROBLEM_TYPE + self.code,
            "title": text(f"board.problem.{self.code}", language),
            "status": self.status,
            "detail": text(f"board.problem.{self.code}.detail", language, **self.values),
            "errors": [
                {
                    "pointer": one.pointer,
                    "code": one.code,
                    "detail": one.detail if language == "nl" else one.detail_en,
                }
                for one in self.errors
            ],
        }


def provider_away() -> Wrong:
    """Nobody can sign in just now."""
    return Wrong(503, "provider_away", headers={"Retry-After": "30"})


def response(connection: HTTPConnection, wrong: Wrong) -> Response:
    """The answer to who asked."""
    import orjson

    return Response(
        orjson.dumps(wrong.said(language_of(connection))),
        status_code=wrong.status,
        media_type=TYPE,
        headers=wrong.headers,
    )
