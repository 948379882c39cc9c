"""Pages of the command line reference, one a command, made from the commands themselves."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import typer

from coldstart.cli import app

FOLDER = "reference/commands"
_BOLD = re.compile(r"\[bold\](.+?)\[/bold\]")
_MARKUP = re.compile(r"\[/?(?:bold|dim|italic)\]")


def every_command() -> dict[str, typer.Context]:
    """Context of every command by its full name, groups before their commands."""
    return dict(_below(typer.main.get_command(app), "coldstart", None))


def _below(command: Any, name: str, parent: Any) -> Iterator[tuple[str, typer.Context]]:
    short = name.rpartition(" ")[2]
    context = command.context_class(command, parent, short, **command.context_settings)
    yield name, context
    for inner, one in getattr(command, "commands", {}).items():
        yield from _below(one, f"{name} {inner}", context)


@cache
def pages() -> dict[str, str]:
    """Markdown of every page, by its path in the site."""
    contexts = every_command()
    out = {f"{FOLDER}/index.md": _index(contexts)}
    for name, context in contexts.items():
        if name.count(" ") == 1:
            inside = [n for n in contexts if n.startswith(name + " ")]
            parts = [f"# {name}", *_described(context)]
            for one in inside:
                parts += [f"## {one}", *_described(contexts[one])]
            out[f"{FOLDER}/{name.split()[1]}.md"] = "\n\n".join(parts) + "\n"
    return out


def _index(contexts: dict[str, typer.Context]) -> str:
    parts = ["# Commands", *_described(contexts["coldstart"])]
    panels: dict[str, list[str]] = {}
    for name, context in contexts.items():
        if name.count(" ") == 1:
            panel = context.command.rich_help_panel or "Commands"
            first = context.command.get_short_help_str(limit=200)
            row = f"| [`{name}`]({name.split()[1]}.md) | {_cell(first)} |"
            panels.setdefault(panel, []).append(row)
    for panel, rows in panels.items():
        parts += [f"## {panel}", "\n".join(["| command | what it does |", "|---|---|", *rows])]
    return "\n\n".join(parts) + "\n"


def _described(context: typer.Context) -> Iterator[str]:
    """Usage, help text and parameters, as paragraphs."""
    command = context.command
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```"
    yield from map(_paragraph, re.split(r"\n\s*\n", (command.help or "").strip()))
    panels: dict[str, list[str]] = {}
    for param in command.get_params(context):
        record = param.get_help_record(context)
        usual = "Arguments" if param.param_type_name == "argument" else "Options"
        panel = getattr(param, "rich_help_panel", None) or usual
        if record and not getattr(param, "hidden", False):
            names, text = record
            panels.setdefault(panel, []).append(f"| {_code(names)} | {_cell(text)} |")
    for panel in sorted(panels, key=lambda panel: panel == "Options"):
        yield f"**{panel}**"
        title = "argument" if panel == "Arguments" else "option"
        yield "\n".join([f"| {title} | what it says |", "|---|---|", *panels[panel]])


def _paragraph(text: str) -> str:
    """A paragraph of a help text; lines below a bold title are commands."""
    title, _, lines = text.partition("\n")
    if (match := _BOLD.fullmatch(title)) and lines.startswith("  "):
        shown = "\n".join(line.removeprefix("  ") for line in lines.splitlines())
        return f"**{match[1]}**\n\n```bash\n{shown}\n```"
    return _MARKUP.sub("", _BOLD.sub(r"**\1**", text))


def _code(text: str) -> str:
    """Text as code, in a cell of a table."""
    return f"<code>{html.escape(text).replace('|', '&#124;')}</code>"


def _cell(text: str) -> str:
    """Text as it stands, in a cell of a table."""
    plain = _MARKUP.sub("", " ".join(text.split()))
    return re.sub(r"([|*<_\[\]])", r"\\\1", plain) if "`" not in plain else plain
