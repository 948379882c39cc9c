"""Promises of the package as a whole: light import, public names, examples that run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import coldstart
from coldstart.cli import main
from coldstart.errors import MissingExtraError
from tests.conftest import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout


def test_import_loads_nothing_heavy():
    loaded = python("import sys, coldstart, coldstart.cli; print(*sys.modules)").split()
    heavy = {"torch", "transformers", "peft", "sentence_transformers", "polars", "numpy", "scipy"}
    heavy |= {"fastapi", "sqlalchemy", "alembic", "ray", "gguf", "ctranslate2", "huggingface_hub"}
    assert not heavy & set(loaded)


def test_public_names_resolve():
    for name in coldstart.__all__:
        assert getattr(coldstart, name) is not None
    assert set(coldstart.__all__) <= set(dir(coldstart))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = coldstart.nothing


def test_readme_example_runs(movies, monkeypatch, capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split("```python\n")[1].split("```")[0]
    monkeypatch.setattr(coldstart.Recommender, "from_pretrained", lambda path: movies)
    exec(compile(block, "README.md", "exec"), {})
    understood, *items = capsys.readouterr().out.splitlines()
    assert understood.startswith("Understood: ")
    assert len(items) == 10


@pytest.mark.parametrize(
    ("option", "file", "users"),
    [("--sentences", "sentences.txt", 6), ("--profile", "new_users.json", 3)],
)
def test_demo_people_get_ten_recommendations_each(movies, monkeypatch, capsys, option, file, users):
    monkeypatch.setattr(coldstart.Recommender, "from_pretrained", lambda path, **_: movies)
    path = str(ROOT / "examples" / file)
    assert main(["recommend", option, path, "-k", "10", "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [len(a["items"]) for a in answers] == [10] * users
    assert all(item["reason"] for answer in answers for item in answer["items"])


def test_the_sentences_of_the_demo_are_understood(movies):
    lines = (ROOT / "examples" / "sentences.txt").read_text(encoding="utf-8").splitlines()
    results = movies.recommend([coldstart.UserProfile(about=line) for line in lines], k=10)
    assert not [line for line, r in zip(lines, results, strict=True) if not r.understood.pieces]


# -- what is published ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[dict[str, bytes], set[str]]:
    """Files of the wheel, and names of those in the source archive."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        files = {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(next(out.glob("*.tar.gz"))) as archive:
        names = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    return files, names


def below(folder: str) -> set[str]:
    """Files of the working tree that are no leavings of Python."""
    files = (p for p in (ROOT / folder).rglob("*") if p.is_file() and p.suffix != ".pyc")
    return {p.relative_to(ROOT).as_posix() for p in files}


def test_the_wheel_holds_the_whole_package_and_nothing_else(built):
    wheel, _ = built
    package = {
        n for n in wheel if ".dist-info/" not in n and not n.startswith("coldstart/_prompts")
    }
    assert package == below("coldstart")
    data = "evaluation/sentences/movies.jsonl"
    for name in ("serve/page/index.html", "serve/store/migrations/env.py", "py.typed", data):
        assert f"coldstart/{name}" in wheel
    assert any(n.startswith("coldstart/serve/store/migrations/versions/") for n in wheel)
    prompts = {n.replace("coldstart/_prompts", "prompts"): n for n in wheel if "/_prompts/" in n}
    assert set(prompts) == below("prompts")
    for there, name in prompts.items():
        assert wheel[name] == (ROOT / there).read_bytes()


def test_the_source_archive_is_enough_to_build_and_test(built):
    _, archive = built
    for folder in ("coldstart", "prompts", "tests", "adapters/ml-100k", "adapters/movies"):
        assert below(folder) <= archive
    assert {"pyproject.toml", "README.md", "LICENSE", "constraints.txt"} <= archive
    assert not [n for n in archive if re.search(r"^(\.venv|dist|runs|shared)/|\.pyc$", n)]


def test_the_base_install_is_small_and_the_extras_are_there(built):
    wheel, _ = built
    metadata = next(data for name, data in wheel.items() if name.endswith("/METADATA"))
    told = Parser().parsestr(metadata.decode())
    extras = set(told.get_all("Provides-Extra", []))
    assert {"serve", "ray", "train", "notebooks", "postgres"} <= extras
    base = {library(r) for r in told.get_all("Requires-Dist", []) if "extra ==" not in r}
    assert {"torch", "transformers", "peft", "gguf"} <= base
    assert not base & {"fastapi", "sqlalchemy", "ray", "psycopg", "lightgbm", "matplotlib"}
    assert told["Version"] == coldstart.__version__


def library(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement)[0].lower()


# -- optional libraries ---------------------------------------------------------------------------


def serve() -> None:
    from coldstart.cli.serve import _need

    _need("uvicorn")


def postgres() -> None:
    from coldstart.serve.store import Store

    Store.open("postgresql+psycopg://nobody@127.0.0.1:1/none")


def ray() -> None:
    from coldstart.batch.ray_engine import write_parts_on_ray

    next(iter(write_parts_on_ray(None, [0], 1, None, 0.0)))


def ctranslate2() -> None:
    from coldstart.export.ct2 import need_ctranslate2

    need_ctranslate2()


def faiss() -> None:
    from coldstart.grounding.index.faiss import FaissIndex

    FaissIndex()


def plots() -> None:
    from coldstart.evaluation.plots.draw import matplotlib

    matplotlib()


def trees() -> None:
    from coldstart.training.boosting import fit_trees

    fit_trees([])


def als() -> None:
    from coldstart.evaluation.baselines.als import item_factors

    item_factors(sparse.csr_array(np.eye(2)), factors=1, alpha=1.0, l2=1.0)


OPTIONAL: list[tuple[str, Callable[[], None]]] = [
    *((name, serve) for name in ("uvicorn", "fastapi", "prometheus_client", "sqlalchemy")),
    ("psycopg", postgres),
    ("ray", ray),
    ("ctranslate2", ctranslate2),
    ("faiss", faiss),
    ("matplotlib", plots),
    ("lightgbm", trees),
    ("implicit", als),
]


@pytest.mark.parametrize(("name", "use"), OPTIONAL, ids=[name for name, _ in OPTIONAL])
def test_without_an_optional_library_the_pip_line_that_brings_it_is_told(monkeypatch, name, use):
    for module in [name, *(m for m in sys.modules if m.startswith(f"{name}."))]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=name) as told:
        use()
    line = re.search(r"pip install '?([\w-]+)(?:\[(\w+)\])?", told.value.hint)
    assert line, told.value.hint
    package, extra = line.groups()
    brought = {package}
    if extra:
        assert package == PYPROJECT["project"]["name"]
        brought = {library(r) for r in PYPROJECT["project"]["optional-dependencies"][extra]}
    assert {"faiss": "faiss-cpu"}.get(name, name.replace("_", "-")) in brought


def test_every_optional_library_is_imported_where_it_is_used():
    """Not when a module is: whoever lacks it can use the rest of that module."""
    optional = {"ctranslate2", "faiss", "implicit", "lightgbm", "matplotlib", "psycopg", "ray"}
    found = [
        f"{path}: {line}"
        for path in below("coldstart")
        if path.endswith(".py")
        for line in Path(ROOT, path).read_text(encoding="utf-8").splitlines()
        if (match := re.match(r"(?:import|from) (\w+)", line)) and match[1] in optional
    ]
    assert not found
