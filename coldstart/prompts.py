"""Find, lint, render and hash prompt templates: the one place that turns a profile into text.

Training and inference both render here, so that the language model meets at inference exactly the
text it was trained on. Templates are Jinja2, sandboxed and strict, and come from the operator,
never from a request: the sandbox bounds neither time nor memory.

A template ends with the titles of the liked items, one per line. What the model writes next is the
next line.
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

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from coldstart.catalog.titles import clean_text
from coldstart.errors import PromptError
from coldstart.schema import Context, UserProfile

VARIABLES = frozenset(
    "age gender occupation location language attributes interests about liked disliked "
    "time device place occasion text viewing".split()
)
"""Everything a template may ask for. Unset ones are ``None``, or empty for lists and maps."""

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
"""What is shortened to keep to the budget, in this order."""


def _line(value: object) -> object:
    """Make a printed value one line, so that nobody can write a prompt line of their own."""
    return clean_text(str(value)) if value is not None else ""


def _said(value: Any) -> Any:
    """Clean a value and leave out what is blank, such as a text of control characters only."""
    if isinstance(value, str):
        return clean_text(value) or None
    if isinstance(value, dict):
        pairs = ((_said(k), _said(v)) for k, v in value.items())
        return {k: v for k, v in pairs if k and v}
    if isinstance(value, list | tuple):
        return [text for v in value if (text := _said(v))]
    return value


_ENV = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    finalize=_line,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)


@dataclass(frozen=True)
class Rendered:
    """A finished prompt.

    Args:
        text: what the model reads; ends with a newline.
        notes: what was left out to keep to the budget, for the user to know.
    """

    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PromptTemplate:
    """A Jinja2 prompt template with what it declares about itself.

    Args:
        name: its folder's name.
        source: the template text, byte for byte.
        variables: the variables it declares to use, a subset of ``VARIABLES``.
        language: BCP 47 tag of the text around the values.
        domain: what it recommends ("movies", "any").
        description: one line for ``coldstart prompts list``.
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
        """Hash of the template text (hexadecimal); an adapter remembers it."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    @cached_property
    def _compiled(self) -> Template:
        try:
            return _ENV.from_string(self.source)
        except TemplateSyntaxError as e:
            raise PromptError(f"template {self.name}, line {e.lineno}: {e.message}") from e

    def render(
        self,
        profile: UserProfile,
        context: Context | None = None,
        *,
        title_of: Callable[[str], str] = str,
        budget: int | None = None,
        count_tokens: Callable[[str], int] | None = None,
    ) -> Rendered:
        """Render the prompt of one user.

        Args:
            profile: the user; picks are shown oldest first.
            context: the moment.
            title_of: the title to show for a pick.
            budget: most tokens the prompt may have; oldest picks are dropped first, then
                dislikes, then the end of the free text.
            count_tokens: how to count them; needed with ``budget``.

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
        return {name: _said(value) for name, value in values.items()}

    def _fill(self, values: dict[str, Any]) -> str:
        undeclared = self._used - values.keys()
        if undeclared:
            raise PromptError(
                f"template {self.name} uses undefined variable(s) {', '.join(sorted(undeclared))}",
                hint=f"available: {', '.join(sorted(VARIABLES))}",
            )
        try:
            text = self._compiled.render(values)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as e:
            raise PromptError(f"template {self.name} cannot be rendered: {e}") from e
        return text if text.endswith("\n") else text + "\n"

    @cached_property
    def _used(self) -> set[str]:
        try:
            return meta.find_undeclared_variables(_ENV.parse(self.source))
        except TemplateSyntaxError as e:
            raise PromptError(f"template {self.name}, line {e.lineno}: {e.message}") from e

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
        """Return what is wrong with the template, one line each; empty if nothing is."""
        try:
            used = self._used
        except PromptError as e:
            return [str(e)]
        problems = [
            f"uses {v!r}, which no prompt offers (available: {', '.join(sorted(VARIABLES))})"
            for v in sorted(used - VARIABLES)
        ]
        problems += [f"uses {v!r} without declaring it" for v in sorted(used - self.variables)]
        problems += [f"declares {v!r} without using it" for v in sorted(self.variables - used)]
        for node in _ENV.parse(self.source).find_all(
            (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
        ):
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
    """Oldest first; picks without a time stay where they are, before any that have one."""
    return sorted(picks, key=lambda p: (p.at is not None, _utc(p.at or datetime.min)))


def _utc(at: datetime) -> datetime:
    """A time without a zone is taken as UTC, so that the order is the same on every machine."""
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def folder() -> Path:
    """The packaged templates: inside the wheel if installed, else the repository's folder."""
    inside = Path(__file__).parent / "_prompts"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "prompts"


def available() -> list[str]:
    """Names of the packaged templates."""
    return sorted(p.parent.name for p in folder().glob("*/template.j2"))


def load(name: str | Path) -> PromptTemplate:
    """Load a packaged template by name, or any folder with ``template.j2`` and ``meta.toml``.

    Raises:
        PromptError: no such template, or its meta.toml is malformed.
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
