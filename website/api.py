"""Pages of the API reference: one for the public names, one for each package below ``coldstart``.

The pages only say what stands where; mkdocstrings fills in signatures and docstrings.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = "reference/api"
# The commands have a reference of their own, and ``python -m coldstart`` is one of them.
LEFT_OUT = ("cli", "__main__")
# What most programs begin with stands first.
FIRST = ("Recommender", "UserProfile", "Context", "Item", "Catalog")
# A recommender is made of parts, whose methods are its own to whoever uses it.
OPTIONS = {"Recommender": "    options:\n      inherited_members: true\n"}
# Top-level modules that are no packages, below one heading.
SINGLE = "modules"


def public_names() -> list[str]:
    """Names that ``from coldstart import …`` offers, those of ``FIRST`` first."""
    tree = ast.parse((ROOT / "coldstart" / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            names = [name for name in ast.literal_eval(node.value) if not name.startswith("_")]
            return sorted(names, key=lambda name: (*FIRST, name).index(name))
    raise SystemExit("coldstart/__init__.py has no __all__")


def rooms() -> list[str]:
    """Packages and modules directly below ``coldstart``, in the order of the layers, top first."""
    with (ROOT / "pyproject.toml").open("rb") as f:
        contracts = tomllib.load(f)["tool"]["importlinter"]["contracts"]
    layers = [room.strip() for layer in contracts[0]["layers"] for room in layer.split("|")]
    return [room for room in layers if room not in LEFT_OUT]


@cache
def documented(room: str) -> dict[str, list[str]]:
    """Public classes and functions of each module of a package, by the module's dotted name."""
    place = ROOT / "coldstart" / room
    paths = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    found = {}
    for path in paths:
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if any(part.startswith("_") for part in parts) or "migrations" in parts:
            continue
        if names := list(_definitions(path)):
            found[".".join(parts)] = names
    return found


def _definitions(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if not node.name.startswith("_"):
                yield node.name


def first_line(dotted: str) -> str:
    """First line of a module's docstring."""
    place = ROOT / Path(*dotted.split("."))
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def pages() -> dict[str, str]:
    """Markdown of every page, by its path in the site."""
    packages = [room for room in rooms() if (ROOT / "coldstart" / room).is_dir()]
    modules = [room for room in rooms() if room not in packages]
    out = {f"{FOLDER}/index.md": _index(packages, modules)}
    for room in packages:
        out[f"{FOLDER}/{room}.md"] = _page(f"coldstart.{room}", [room])
    out[f"{FOLDER}/{SINGLE}.md"] = _page("Top-level modules", modules)
    return out


def _index(packages: list[str], modules: list[str]) -> str:
    lines = ["# API reference", "", "What `from coldstart import …` offers:", ""]
    lines += [f"::: coldstart.{name}\n{OPTIONS.get(name, '')}" for name in public_names()]
    lines += [
        "## Packages",
        "",
        "From the top layer down; each imports from those below it only.",
        "",
    ]
    lines += ["| package | what is in it |", "|---|---|"]
    lines += [f"| [`coldstart.{r}`]({r}.md) | {first_line(f'coldstart.{r}')} |" for r in packages]
    lines += [
        f"| [`coldstart.{r}`]({SINGLE}.md#coldstart.{r}) | {first_line(f'coldstart.{r}')} |"
        for r in modules
    ]
    return "\n".join(lines) + "\n"


def _page(title: str, names: list[str]) -> str:
    lines = [f"# {title}", ""]
    if len(names) == 1:
        lines += [first_line(f"coldstart.{names[0]}"), ""]
    for name in names:
        for module in documented(name):
            lines += [f"::: {module}\n"]
    return "\n".join(lines) + "\n"
