"""The page of the API, made from the table of operations; `python -m tests.workers.web.page` writes it anew."""

import inspect
import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from domain import booking_errors, refund_errors
from workers.web.operations.catalog import ALL
from workers.web.operations.door import KEY, KEY_CHARS_MAX
from workers.web.operations.shapes import AnyOperation

PAGE: Final = Path(__file__).parents[3] / "docs/openapi.json"
BY_HAND: Final = {
    *("/live", "/ready", "/health/scheduler", "/metrics", "/webhooks/{provider}", "/v1/runs")
}
SCHEMAS_BY_HAND: Final = {"RunRequest", "Run", "Declined"}
CODES_BY_HAND: Final = (
    *("unauthorized", "forbidden", "unknown_job", "too_slow", "too_large", "bad_input", "conflict"),
    *("too_many", "closed", "unavailable"),
)
DECLINED: Final = {"$ref": "#/components/responses/Declined"}
REFUSALS: Final = ("401", "403", "404", "408", "409", "413", "422", "429", "503")


def made() -> dict[str, Any]:
    """The page as it must be: what is written by hand, and every operation of the table."""
    page: dict[str, Any] = json.loads(PAGE.read_text(encoding="utf-8"))
    paths = {path: told for path, told in page["paths"].items() if path in BY_HAND}
    page["paths"] = paths | {operation.path: _path(operation) for operation in ALL}
    schemas = page["components"]["schemas"]
    kept = {name: told for name, told in schemas.items() if name in SCHEMAS_BY_HAND}
    kept["Declined"]["properties"]["error"]["properties"]["code"]["enum"] = codes()
    page["components"]["schemas"] = kept | _schemas()
    return page


def codes() -> list[str]:
    """Every code of a refusal: those of doors, and those that operations give theirs."""
    pages = (booking_errors, refund_errors)
    classes = [one for page in pages for _, one in inspect.getmembers(page, inspect.isclass)]
    own = {one.code.lower() for one in classes if hasattr(one, "code")}
    return [*CODES_BY_HAND, *sorted(own)]


def text() -> str:
    """The page as it is written."""
    return json.dumps(made(), indent=2) + "\n"


def _path(operation: AnyOperation) -> dict[str, Any]:
    key = {
        "name": KEY,
        "in": "header",
        "required": True,
        "description": "The same key with the same request is the same answer; nothing is done twice.",
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX},
    }
    limit = (
        f"At most {operation.bucket.limit.amount} a minute for one actor ({operation.bucket.name})."
    )
    told: dict[str, Any] = {
        "summary": operation.asks.__doc__,
        "description": f"The actor is a {operation.actor}. {limit}",
        "security": [{"token": []}],
        "parameters": [] if operation.is_reading else [key],
        "requestBody": {"required": True, "content": _json(operation.asks)},
        "responses": {
            "200": {
                "description": operation.answers.__doc__,
                "content": _json(operation.answers),
            }
        }
        | dict.fromkeys(REFUSALS, DECLINED),
    }
    return {"post": told}


def _json(shape: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}}}


def _schemas() -> dict[str, Any]:
    asked: list[tuple[type[BaseModel], JsonSchemaMode]] = [(one.asks, "validation") for one in ALL]
    answered: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (one.answers, "serialization") for one in ALL
    ]
    _, found = models_json_schema([*asked, *answered], ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = found["$defs"]
    return schemas


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
