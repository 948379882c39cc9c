"""``coldstart prompts``: list, show and lint prompt templates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coldstart.cli import output
from coldstart.errors import PromptError
from coldstart.schema import Context, UserProfile

if TYPE_CHECKING:
    from coldstart.prompts import PromptTemplate

app = typer.Typer(no_args_is_help=True, help="List, show and lint prompt templates.")


@app.command("list")
def list_(as_json: output.AsJson = False) -> None:
    """List the packaged templates.

    A template is a folder with template.j2 and meta.toml; you can write your own.

    [bold]Examples[/bold]
      coldstart prompts list
      coldstart prompts list --json
    """
    from coldstart import prompts

    templates = [prompts.load(name) for name in prompts.available()]
    if as_json:
        return output.emit([_about(t) for t in templates])
    table = output.table("Name", "Language", "Domain", "What it says")
    for t in templates:
        table.add_row(t.name, t.language, t.domain, t.description)
    output.stdout().print(table)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A packaged template, or a folder that holds one.")],
    as_json: output.AsJson = False,
) -> None:
    """Print a template, its variables, and its rendered example.

    Training and inference render profiles with exactly this template.

    [bold]Examples[/bold]
      coldstart prompts show movies-en
      coldstart prompts show ./my-template --json
    """
    from coldstart import prompts

    template = prompts.load(name)
    example = _rendered(template)
    if as_json:
        more = {"source": template.source, "example": {**template.example, "text": example}}
        return output.emit(_about(template) | more)
    console = output.stdout()
    console.print(output.facts(_about(template), most=len(template.variables)))
    for heading, text in (("The template", template.source), ("Its example", example)):
        console.print(f"\n── {heading} ──", style="bold")
        output.verbatim(text)


@app.command()
def lint(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Packaged templates, folders that hold one, or folders of such folders; "
            "all packaged ones if left out.",
            show_default=False,
        ),
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    """Find undeclared variables and other mistakes; exit code 2 if there are any.

    The example in meta.toml must be what the template renders, byte for byte.

    [bold]Examples[/bold]
      coldstart prompts lint
      coldstart prompts lint movies-en ./my-template
    """
    from coldstart import prompts

    targets = _targets(names) if names else prompts.available()
    found = {name: _problems(name) for name in targets}
    ok = not any(found.values())
    if as_json:
        rows = [{"name": name, "problems": problems} for name, problems in found.items()]
        output.emit({"ok": ok, "templates": rows})
    else:
        for name, problems in found.items():
            for problem in problems or ["fine"]:
                output.stdout().print(f"{name}: {problem}", soft_wrap=True)
    if not ok:
        raise typer.Exit(2)


def _targets(names: list[str]) -> list[str]:
    out: list[str] = []
    for name in names:
        inside = sorted(p.parent for p in Path(name).glob("*/template.j2"))
        out += map(str, inside) if inside else [name]
    return out


def _problems(name: str) -> list[str]:
    from coldstart import prompts

    try:
        template = prompts.load(name)
        problems = template.lint()
        if not problems and template.example.get("text", "") != _rendered(template):
            problems = ["the example in meta.toml is not what the template renders"]
    except PromptError as e:
        return [str(e)]
    return problems


def _rendered(template: PromptTemplate) -> str:
    profile = UserProfile.parse(template.example.get("profile", {}))
    return template.render(profile, Context.parse(template.example.get("context", {}))).text


def _about(template: PromptTemplate) -> dict[str, Any]:
    return {
        "name": template.name,
        "language": template.language,
        "domain": template.domain,
        "description": template.description,
        "sha256": template.sha256,
        "variables": sorted(template.variables),
    }
