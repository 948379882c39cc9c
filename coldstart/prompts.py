"""Prompt templates: load, lint, render and hash.

Training and inference share this module, so that the prompt at inference is exactly the training
prompt. Templates are a subset of Jinja2, sandboxed, strict, and bounded in time, memory and output
(``runtime.bounded_jinja``), since those of artifacts come from elsewhere.

A template ends with the titles of the liked items, one per line; the model continues with the next
line.
"""

from __future__ import annotations

import hashlib
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError, meta, nodes

from coldstart.catalog.titles import clean_text
from coldstart.errors import PromptError
from coldstart.runtime.bounded_jinja import BoundedEnvironment, BoundedTemplate
from coldstart.schema import Context, UserProfile

VARIABLES = frozenset(
    "age gender occupation location language attributes interests about liked disliked "
    "time device place occasion text viewing".split()
)
"""Variables available to templates. Unset ones are ``None``, or empty for lists and maps."""

DEFAULT = "movies-en"
DEFAULT_BUDGET = 512

_PICKS = ("liked", "disliked")
_TRIMMED = (
    ("liked", "oldest liked pick(s)"),
    ("disliked", "oldest disliked pick(s)"),
    ("about", "the end of `about`"),
    ("text", "the end of `text`"),
    ("interests", "the last interests"),
)
"""Fields trimmed to fit the token budget, in this order."""


def _line(value: object) -> object:
    """Flatten a value to one line, so that user input cannot add lines to the prompt."""
    return clean_text(str(value)) if value is not None else ""


def _cleaned(value: Any) -> Any:
    """Clean a value recursively and drop blank parts, such as texts of control characters."""
    if isinstance(value, str):
        return clean_text(value) or None
    if isinstance(value, dict):
        pairs = ((_cleaned(k), _cleaned(v)) for k, v in value.items())
        return {k: v for k, v in pairs if k and v}
    if isinstance(value, list | tuple):
        return [text for v in value if (text := _cleaned(v))]
    return value


_ENV = BoundedEnvironment(_line)


@dataclass(frozen=True)
class Rendered:
    """A rendered prompt.

    Args:
        text: the prompt; ends with a newline.
        notes: parts trimmed to fit the token budget, for the caller.
    """

    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PromptTemplate:
    """Jinja2 prompt template with its metadata.

    Args:
        name: name of its folder.
        source: the template text, byte for byte.
        variables: declared variables, a subset of ``VARIABLES``.
        language: BCP 47 tag of the text around the values.
        domain: domain of the items ("movies", "any").
        description: one line for ``coldstart prompts list``.
        example: an example profile and context, and the text they render to.
    """

    name: str
    source: str
    variables: frozenset[str]
    language: str = "en"
    domain: str = "any"
    description: str = ""
    example: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the template text (hexadecimal), recorded in artifacts."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    @cached_property
    def _compiled(self) -> BoundedTemplate:
        try:
            return _ENV.compile_bounded(self.source)
        except PromptError as e:
            is_syntax = e.message.startswith("line ") and not e.hint
            why = e.message if is_syntax else f"cannot be rendered: {e.message}"
            separator = ", " if is_syntax else " "
            raise PromptError(f"template {self.name}{separator}{why}", e.hint) from e

    def check(self) -> None:
        """Compile the template, and render it once for an empty profile.

        Raises:
            PromptError: malformed, unbounded, or with an undefined variable.
        """
        self.render(UserProfile())

    def render(
        self,
        profile: UserProfile,
        context: Context | None = None,
        *,
        title_of: Callable[[str], str] = str,
        budget: int | None = None,
        count_tokens: Callable[[str], int] | None = None,
    ) -> Rendered:
        """Render the prompt of one request.

        Args:
            profile: the user; picks are listed oldest first.
            context: of the request.
            title_of: maps a pick to its title.
            budget: maximum number of tokens; the oldest picks are dropped first, then dislikes,
                then the end of the free text.
            count_tokens: token counter; required with ``budget``.

        Raises:
            PromptError: an undefined variable, or attributes alone exceed the budget.
        """
        values = self._values(profile, context or Context(), title_of)
        text = self._fill(values)
        if budget is None or count_tokens is None or count_tokens(text) <= budget:
            return Rendered(text)
        return self._trim(values, budget, count_tokens)

    def _values(
        self, profile: UserProfile, context: Context, title_of: Callable[[str], str]
    ) -> dict[str, Any]:
        values = profile.model_dump(include=set(VARIABLES - set(_PICKS)))
        values |= context.model_dump(include=set(VARIABLES - {"viewing"}))
        values["liked"] = [title_of(p.item) for p in in_time_order(profile.liked)]
        values["disliked"] = [title_of(p.item) for p in in_time_order(profile.disliked)]
        values["viewing"] = title_of(context.viewing.item) if context.viewing else None
        return {name: _cleaned(value) for name, value in values.items()}

    def _fill(self, values: dict[str, Any]) -> str:
        compiled = self._compiled
        undeclared = compiled.variables - values.keys()
        if undeclared:
            raise PromptError(
                f"template {self.name} uses undefined variable(s) {', '.join(sorted(undeclared))}",
                hint=f"available: {', '.join(sorted(VARIABLES))}",
            )
        try:
            text = compiled.render(values)
        except PromptError as e:
            raise PromptError(
                f"template {self.name} cannot be rendered: {e.message}", e.hint
            ) from e
        return text if text.endswith("\n") else text + "\n"

    def _trim(self, values: dict[str, Any], budget: int, count: Callable[[str], int]) -> Rendered:
        notes = []
        for name, what in _TRIMMED:
            whole = values[name] or ""

            def fits(n: int, name: str = name, whole: Any = whole) -> bool:
                kept = whole[n:] if name in _PICKS else whole[: len(whole) - n]
                return count(self._fill(values | {name: kept})) <= budget

            cut = bisect_left(range(len(whole)), True, key=fits)  # the least that is enough
            if cut:
                values[name] = whole[cut:] if name in _PICKS else whole[: len(whole) - cut]
                amount = f"{cut} {what}" if name in _PICKS else what
                notes.append(f"prompt over {budget} tokens: {amount} left out of it")
        text = self._fill(values)
        if count(text) > budget:
            raise PromptError(
                f"template {self.name} needs {count(text)} tokens without any pick or free text, "
                f"over the budget of {budget}",
                hint="raise prompt_tokens, or shorten the template or the attributes",
            )
        return Rendered(text, tuple(notes))

    def lint(self) -> list[str]:
        """Check the template; returns problems, one line each."""
        try:
            tree = _ENV.parse(self.source)
            used = meta.find_undeclared_variables(tree) - {"range"}
        except TemplateSyntaxError as e:
            return [f"template {self.name}, line {e.lineno}: {e.message}"]
        problems = [
            f"uses {v!r}, which no prompt offers (available: {', '.join(sorted(VARIABLES))})"
            for v in sorted(used - VARIABLES)
        ]
        problems += [f"uses {v!r} without declaring it" for v in sorted(used - self.variables)]
        problems += [f"declares {v!r} without using it" for v in sorted(self.variables - used)]
        for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
            problems.append(f"line {node.lineno}: a template stands alone (no include or import)")
        if problems:
            return problems
        titles = ["First title", "Second title"]
        try:
            empty = self.render(UserProfile()).text
            text = self.render(UserProfile(liked=tuple(titles))).text  # type: ignore[arg-type]
        except PromptError as e:
            return [str(e)]
        if not text.endswith("\n" + "\n".join(titles) + "\n"):
            problems.append("must end with the liked titles, one per line")
        elif text[: -len("\n".join(titles)) - 1] != empty:
            problems.append("the text before the liked titles must not depend on them")
        return problems


def in_time_order(picks: Sequence[Any]) -> list[Any]:
    """Sort picks oldest first; picks without a time keep their order and come first."""
    return sorted(picks, key=lambda p: (p.at is not None, _utc(p.at or datetime.min)))


def _utc(at: datetime) -> datetime:
    """Interpret a time without a zone as UTC, so that the order is independent of the machine."""
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def folder() -> Path:
    """Folder of the packaged templates: inside the wheel if installed, else the repository's."""
    inside = Path(__file__).parent / "_prompts"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "prompts"


def available() -> list[str]:
    """Names of the packaged templates."""
    return sorted(p.parent.name for p in folder().glob("*/template.j2"))


def load(name: str | Path) -> PromptTemplate:
    """Load a packaged template by name, or any folder with ``template.j2`` and ``meta.toml``.

    Raises:
        PromptError: an unknown template, or a malformed meta.toml.
    """
    place = folder() / str(name)
    if not (place / "template.j2").is_file():
        place = Path(name)
    if not (place / "template.j2").is_file():
        raise PromptError(
            f"no prompt template {str(name)!r}",
            hint=f"packaged: {', '.join(available())}; or give a folder holding template.j2",
        )
    try:
        about = tomllib.loads((place / "meta.toml").read_text(encoding="utf-8"))
        source = (place / "template.j2").read_bytes().decode("utf-8")
        if not isinstance(about["variables"], list):
            raise ValueError("variables is no list")
        return PromptTemplate(
            name=place.name,
            source=source,
            variables=frozenset(about["variables"]),
            language=about["language"],
            domain=about["domain"],
            description=about["description"],
            example=about.get("example", {}),
        )
    except (OSError, ValueError, TypeError, KeyError) as e:
        raise PromptError(
            f"{place}: cannot read the template: {e}",
            hint="meta.toml needs language, domain, description and variables",
        ) from e
