"""Packages that are installed for the length of a test, without pip."""

from __future__ import annotations

import importlib
import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coldstart.plugins import plugins

EXAMPLE = Path(__file__).parent / "plugin_package"


def write_package(source: Path, site: Path) -> list[str]:
    """Put the modules of a source tree, and what pip writes beside them, into a folder.

    Returns:
        Names of its modules and packages.
    """
    site.mkdir(parents=True, exist_ok=True)
    about = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    modules = [p for p in source.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()]
    for path in modules:
        if path.is_dir():
            shutil.copytree(path, site / path.name)
        else:
            shutil.copy(path, site)
    info = site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    (info / "METADATA").write_text(head)
    groups = about.get("entry-points", {}).items()
    lines = [
        line
        for group, points in groups
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return [path.stem for path in modules]


@contextmanager
def installed(*sources: Path, site: Path) -> Iterator[None]:
    """Some packages, importable and with their entry points, from a new folder."""
    names = [name for source in sources for name in write_package(source, site)]
    sys.path.insert(0, str(site))
    _look_again()
    try:
        yield
    finally:
        sys.path.remove(str(site))
        for module in [m for m in sys.modules if m.partition(".")[0] in names]:
            del sys.modules[module]
        _look_again()


def _look_again() -> None:
    importlib.invalidate_caches()
    plugins.cache_clear()
