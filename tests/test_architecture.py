"""The house rules that no linter knows: no import circle, imports down, few modules, one name a thing.

The source itself is read: every import counts, at the top, inside functions, and for types only.
"""  # noqa: E501

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "coldstart"
MOST_MODULES, MOST_LINES, MOST_TEST_LINES = 10, 450, 500


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by name."""
    return {
        _name(path): ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")
    }


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(name: str, tree: ast.Module, known: frozenset[str]) -> Iterator[str]:
    """Modules of the package that a module imports, however."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports relatively: write coldstart.… in full"
            wholes = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [whole if whole in known else str(node.module) for whole in wholes]
        else:
            continue
        yield from (other for other in found if other in known and other != name)


@cache
def graph() -> dict[str, frozenset[str]]:
    """Module → what it imports."""
    known = frozenset(modules())
    return {name: frozenset(imports_of(name, tree, known)) for name, tree in modules().items()}


def circles(edges: dict[str, frozenset[str]]) -> list[list[str]]:
    """Modules from which a way of imports leads back to themselves, a circle each."""
    out, done = [], set()
    for start in edges:
        stack = [(start, iter(edges[start]))]
        while stack and start not in done:
            way = [name for name, _ in stack]
            following = next(stack[-1][1], None)
            if following is None:
                done.add(stack.pop()[0])
            elif following in way:
                out.append(way[way.index(following) :])
            elif following not in done:
                stack.append((following, iter(edges[following])))
    return out


def layers() -> list[list[str]]:
    """Rooms from top to bottom, as the import linter has them."""
    with (ROOT / "pyproject.toml").open("rb") as f:
        contracts = tomllib.load(f)["tool"]["importlinter"]["contracts"]
    (found,) = [c["layers"] for c in contracts if c.get("containers") == ["coldstart"]]
    return [layer.split(" | ") for layer in found]


def test_a_circle_would_be_found():
    made = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}
    assert circles({n: frozenset(x) for n, x in made.items()}) == [["b", "c"]]
    assert circles({n: frozenset(x) for n, x in (made | {"c": set()}).items()}) == []


def test_imports_for_types_and_inside_functions_count():
    source = "if TYPE_CHECKING:\n import x.a\ndef f():\n from x import b\n from x.c import D"
    found = imports_of("x.d", ast.parse(source), frozenset({"x.a", "x.b", "x.c", "x.d"}))
    assert sorted(found) == ["x.a", "x.b", "x.c"]


def test_there_is_no_import_circle():
    assert circles(graph()) == []


def test_imports_point_down():
    place = {room: n for n, layer in enumerate(layers()) for room in layer}
    rooms = {name.split(".")[1] for name in graph() if "." in name}
    assert rooms == place.keys()
    up = [
        f"{name} → {other}"
        for name, found in graph().items()
        for other in found
        if "." in name and "." in other
        for here, there in [(name.split(".")[1], other.split(".")[1])]
        if here != there and place[here] >= place[there]
    ]
    assert up == []


def test_few_modules_lie_directly_in_the_package():
    found = sorted(path.name for path in PACKAGE.glob("*.py"))
    assert len(found) <= MOST_MODULES, found


def test_no_two_classes_share_a_name():
    names = Counter(
        node.name
        for tree in modules().values()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, times in names.items() if times > 1] == []


def test_no_test_module_imports_another():
    """What tests share is a fixture of a ``conftest.py`` or lies in a module without tests."""
    tests = ROOT / "tests"
    known = frozenset(_name(path) for path in tests.rglob("test_*.py"))
    found = {}
    for path in tests.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {  # such as the loaders of Ray Serve, "module:function"
            node.value.partition(":")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        found[_name(path)] = known & {*imports_of(_name(path), tree, known), *named}
    assert {name: others for name, others in found.items() if others} == {}


@pytest.mark.parametrize(
    ("folder", "most"), [("coldstart", MOST_LINES), ("tests", MOST_TEST_LINES)]
)
def test_files_are_short(folder, most):
    lines = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {path: n for path, n in lines.items() if n > most} == {}


def test_a_recommender_is_a_facade():
    tree = modules()["coldstart.recommender"]
    (recommender,) = [n for n in tree.body if isinstance(n, ast.ClassDef)]
    public = {
        node.name
        for node in recommender.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    assert len(public) <= 10, public
