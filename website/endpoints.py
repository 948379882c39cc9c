"""Page of the service's HTTP interface, made from its OpenAPI schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from coldstart.serve.app import create_app
from coldstart.serve.metrics import Metrics
from coldstart.serve.service import Service

PAGE = "reference/http.md"
_METHODS = ("get", "post", "put", "patch", "delete")
_HEAD = """# HTTP interface

What `coldstart serve` answers ([how to run it](../service.md)). A running service has the same as a
schema, at `/openapi.json`. Bodies and answers are JSON. Errors have one form, `ErrorBody`
below; 401, 413, 422, 429, 503 and 504 are possible for every path below `/v1`.
"""


@cache
def schema() -> dict[str, Any]:
    """OpenAPI schema of a service without a recommender."""
    stub = SimpleNamespace(settings=SimpleNamespace(origins=[]), metrics=Metrics())
    return create_app(cast(Service, stub)).openapi()


@cache
def pages() -> dict[str, str]:
    """Markdown of the page, by its path in the site."""
    parts = [_HEAD]
    for tag in schema()["tags"]:
        parts += [f"## {tag['name'].capitalize()}", tag["description"]]
        for path, methods in schema()["paths"].items():
            for method in _METHODS:
                if tag["name"] in methods.get(method, {}).get("tags", ()):
                    parts += _operation(method, path, methods[method])
    parts.append("## Objects")
    for name, one in sorted(schema()["components"]["schemas"].items()):
        if "properties" in one:
            parts += [f"### {name}", *_prose(one.get("description")), _fields(one)]
    return {PAGE: "\n\n".join(parts) + "\n"}


def _operation(method: str, path: str, about: dict[str, Any]) -> Iterator[str]:
    yield f"### {method.upper()} `{path}`"
    yield from _prose(about.get("description"))
    if parameters := about.get("parameters"):
        rows = [
            f"| `{p['name']}` | {p['in']} | {_type(p['schema'])} | {_cell(p.get('description'))} |"
            for p in parameters
        ]
        yield "\n".join(["| parameter | in | type | meaning |", "|---|---|---|---|", *rows])
    if body := about.get("requestBody"):
        kinds = " or ".join(_type(content["schema"]) for content in body["content"].values())
        yield f"Body: {kinds}"
    for code, answer in about["responses"].items():
        if code.startswith("2"):
            kinds = " or ".join(
                f"{_type(content.get('schema', {}))} (`{kind}`)"
                for kind, content in answer.get("content", {}).items()
            )
            yield f"{code}: {kinds or 'no body'}"


def _fields(one: dict[str, Any]) -> str:
    required = one.get("required", ())
    rows = []
    for name, field in one["properties"].items():
        default = "required" if name in required else _default(field)
        inner = field.get("description") or next(
            (o["description"] for o in field.get("anyOf", ()) if "description" in o), ""
        )
        rows.append(f"| `{name}` | {_type(field)} | {default} | {_cell(inner)} |")
    return "\n".join(["| field | type | default | meaning |", "|---|---|---|---|", *rows])


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    return "" if isinstance(value, dict) else f"`{value}`".replace("None", "null")


def _type(one: dict[str, Any]) -> str:
    """Type of a value, with a link where it is an object of its own."""
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        inside = schema()["components"]["schemas"][name]
        return f"[{name}](#{name.lower()})" if "properties" in inside else _type(inside)
    if "enum" in one or "const" in one:
        return ", ".join(f"`{value}`" for value in one.get("enum", [one.get("const")]))
    for union in ("anyOf", "oneOf"):
        if union in one:
            return " or ".join(dict.fromkeys(_type(o) for o in one[union]))
    if one.get("type") == "array":
        return f"list of {_type(one.get('items', {}))}"
    return str(one.get("type", "any"))


def _prose(text: str | None) -> Iterator[str]:
    if text:
        yield text


def _cell(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").replace("|", "\\|")
