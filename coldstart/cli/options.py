"""Option groups: dataclass fields as command-line options; parsing and formatting of options."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints

from coldstart.errors import ConfigError


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Expand the dataclass parameters of ``command`` into one option per field.

    Rewrites the signature and annotations that typer reads; the command is called with instances of
    the dataclasses.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            parameters += _options_of(groups[name])
        else:
            parameters.append(_keyword(name, parameter.default, hints[name]))

    @wraps(command)
    def call(**values: Any) -> None:
        made = {
            name: group(**{f.name: values.pop(f.name) for f in fields(group)})
            for name, group in groups.items()
        }
        command(**made, **values)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in parameters}
    return call


def _options_of(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [_keyword(f.name, f.default, hints[f.name]) for f in fields(group)]


def _keyword(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


_PAIR = re.compile(r"""'([^']*)': (?:'([^']*)'|"([^"]*)"|None|(…))""")
_THRESHOLD = re.compile(r"\b(like|dislike)_at(=?)")
_ARGUMENT = re.compile(r"\b(unrated|encoding|separator|quotes)=")


def in_options(text: str) -> str:
    """Name options where a message of the package names arguments.

    >>> in_options("columns={'rating': 'stars'} reads it; or like_at=3, unrated=()")
    '--columns rating=stars reads it; or --like-at 3, --unrated none'
    """

    def columns(match: re.Match[str]) -> str:
        found = _PAIR.finditer(match[1])
        pairs = ",".join(f"{p[1]}={p[2] or p[3] or p[4] or ''}" for p in found)
        return f"--columns {pairs if '…' in pairs else shlex.quote(pairs)}"

    text = re.sub(r"\bcolumns=\{(.*?)\}", columns, text).replace("unrated=()", "unrated=none")
    text = re.sub(r"^columns: ", "--columns: ", text)
    text = text.replace("unknown_picks='ignore'", "--ignore-unknown")
    text = _THRESHOLD.sub(lambda m: f"--{m[1]}-at" + (" " if m[2] else ""), text)
    return _ARGUMENT.sub(r"--\1 ", text)


def whole_numbers(option: str, text: str) -> tuple[int, ...]:
    """Parse non-negative integers separated by commas; returns them sorted, without repeats.

    Raises:
        ConfigError: anything else.
    """
    try:
        numbers = sorted({int(n) for n in text.split(",")})
    except ValueError:
        numbers = [-1]
    if numbers[0] < 0:
        raise ConfigError(f"{option} {text!r}", hint="whole numbers from 0 on, such as 0,1,3")
    return tuple(numbers)


def command_line(command: str, options: Mapping[str, object]) -> str:
    """Format the command line of the given options.

    >>> command_line("replay", {"data": "ml-100k", "half_life": "3,5", "shift": False, "out": None})
    'coldstart replay --data ml-100k --half-life 3,5 --no-shift'

    Args:
        command: words after ``coldstart``.
        options: by parameter name; ``None`` is left out, a list repeats its option.
    """
    parts = ["coldstart", *shlex.split(command)]
    for name, value in options.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            parts.append(f"--{option}" if value else f"--no-{option}")
            continue
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                parts += [f"--{option}", str(one)]
    return shlex.join(parts)
