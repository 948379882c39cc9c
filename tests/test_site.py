"""The documentation site: complete references, links that lead somewhere, commands that exist."""

from __future__ import annotations

import pkgutil
import re
import shlex
import sys

import pytest
import typer

import coldstart
from coldstart.cli import app
from coldstart.evaluation.plots.of_report import read_charts
from tests.conftest import ROOT

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "adapters").glob("*/README.md")]
)
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@pytest.fixture
def website(monkeypatch):
    """Import a module of the folder ``website``."""
    monkeypatch.syspath_prepend(str(ROOT / "website"))
    before = set(sys.modules)
    yield __import__
    for name in set(sys.modules) - before:
        if (ROOT / "website" / f"{name}.py").exists():
            del sys.modules[name]


# -- references ------------------------------------------------------------------------------------


def test_the_api_reference_has_every_public_name(website):
    api = website("api")
    pages = api.pages()
    index = pages["reference/api/index.md"]
    for name in coldstart.__all__:
        if not name.startswith("_"):
            assert f"\n::: coldstart.{name}\n" in index
    entries = re.findall(r"^::: (\S+)$", "".join(pages.values()), re.MULTILINE)
    assert len(entries) == len(set(entries))
    found = {m.name for m in pkgutil.walk_packages(coldstart.__path__, "coldstart.")}
    for name in found:
        parts = name.split(".")
        if parts[1] in api.LEFT_OUT or "migrations" in parts:
            continue
        assert (name in entries) == (name in api.documented(parts[1]))
    assert {entry for entry in entries if entry not in found} == {
        f"coldstart.{name}" for name in coldstart.__all__ if not name.startswith("_")
    }


def test_recommender_and_contracts_are_among_the_documented_names(website):
    api = website("api")
    assert api.documented("recommender")["coldstart.recommender"] == ["Recommender"]
    assert "IndexContract" in api.documented("testing")["coldstart.testing.contracts.index"]
    assert "_Record" not in str(api.documented("testing"))


def below(command, name):
    yield name, command
    for short, one in getattr(command, "commands", {}).items():
        yield from below(one, f"{name} {short}")


def test_the_command_reference_has_every_command_and_option(website):
    pages = website("commands").pages()
    for name, command in below(typer.main.get_command(app), "coldstart"):
        parts = name.split()
        page = pages[f"reference/commands/{parts[1] if len(parts) > 1 else 'index'}.md"]
        heading = "# Commands" if len(parts) == 1 else f"# {name}\n"
        section = page.partition(heading)[2].partition("\n## coldstart ")[0]
        assert section, name
        for param in command.params:
            for option in param.opts + param.secondary_opts if param.opts[0][0] == "-" else []:
                assert re.search(rf"<code>[^\n]*{option}[ ,<]", section), (name, option)


def test_examples_of_a_command_are_code_and_markup_is_gone(website):
    page = website("commands").pages()["reference/commands/recommend.md"]
    assert "**Examples**\n\n```bash\ncoldstart recommend --about" in page
    assert not re.search(r"\[/?(bold|dim)\]", page)


def test_the_http_reference_has_every_route_and_field(website):
    endpoints = website("endpoints")
    page, schema = endpoints.pages()["reference/http.md"], endpoints.schema()
    for path, methods in schema["paths"].items():
        for method in methods:
            assert page.count(f"### {method.upper()} `{path}`\n") == 1
    for name, one in schema["components"]["schemas"].items():
        section = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        for field in one.get("properties", ()):
            assert f"| `{field}` |" in section, (name, field)
    assert "Body: [RecommendIn](#recommendin)" in page


# -- links -----------------------------------------------------------------------------------------


def without_code(text):
    return re.sub(r"`[^`]+`", "", FENCE.sub("", text))


def anchors_of(path):
    """Anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+?)\s*$", FENCE.sub("", path.read_text(encoding="utf-8")), re.M)
    plain = [re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", title).lower() for title in titles]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in plain}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_to_files_of_the_repository(path):
    text = without_code(path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        file = (path.parent / place).resolve() if place else path
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors_of(file), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_a_list_begins_after_a_blank_line(path):
    """GitHub does without, the site does not."""
    item = re.compile(r"([-*]|\d+\.) ")
    before, inside = "", False
    for line in FENCE.sub("", path.read_text(encoding="utf-8")).splitlines():
        if item.match(line):
            assert inside or not before.strip() or before.startswith("#"), line
            inside = True
        elif not line.strip() or not line.startswith(" "):
            inside = inside and not line.strip()
        before = line


def test_links_are_led_to_pages_and_copies(website):
    elsewhere = website("elsewhere")
    text = "[a](design.md#flow) [b](../CHANGELOG.md) [c](../deploy/serve.yaml) [d](https://e.org)"
    led, copies = elsewhere.linked(text, "service.md")
    assert led == (
        "[a](design.md#flow) [b](project/changelog.md) [c](files/deploy/serve.yaml) "
        "[d](https://e.org)"
    )
    assert copies == {ROOT / "deploy" / "serve.yaml": "files/deploy/serve.yaml"}
    led, _ = elsewhere.linked("[a](docs/service.md) [b](SECURITY.md)", "project/contributing.md")
    assert led == "[a](../service.md) [b](security.md)"
    led, _ = elsewhere.linked("[a](../../notebooks/02_evaluate.ipynb)", "results/load.md")
    assert led == "[a](../notebooks/02_evaluate.md)"


def test_links_in_code_stay(website):
    text = "`[a](../CHANGELOG.md)`\n\n```\n[a](../CHANGELOG.md)\n```\n`x` and [a](../nothing.md)\n"
    assert website("elsewhere").linked(text, "service.md") == (text, {})


def test_notebooks_show_their_figures(website):
    pages = website("elsewhere").pages()
    page = pages["notebooks/02_evaluate.md"]
    pictures = re.findall(r"!\[png\]\(([^)]+)\)", page)
    assert pictures
    assert all(pages[f"notebooks/{picture}"].startswith(b"\x89PNG") for picture in pictures)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "results").glob("*.html")), ids=lambda path: path.stem
)
def test_results_show_the_plots_of_their_reports(path):
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    shown = re.findall(r"^!\[([^]]+)\]\((.+\.svg)\)$", text, re.MULTILINE)
    charts = read_charts(path.with_suffix(".json"))
    assert shown == [(c.title, f"{path.stem}.{c.name}.svg") for c in charts]
    page = path.read_text(encoding="utf-8")
    assert page.count("data:image/svg+xml") == len(charts)
    for chart in charts:
        drawn = path.with_suffix(f".{chart.name}.svg").read_text(encoding="utf-8")
        assert chart.title in drawn, "coldstart plot draws it again"


# -- navigation ------------------------------------------------------------------------------------


def test_every_page_has_its_place_in_the_navigation():
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = config.partition("\nnav:\n")[2]
    for path in (ROOT / "docs").glob("*.md"):
        assert re.search(rf"[ \[]{re.escape(path.name)}", nav), path.name


def test_folders_of_the_navigation_are_filled(website, tmp_path):
    listing = website("listing")
    (tmp_path / "r").mkdir()
    for name in ("b-index", "a", "README"):
        (tmp_path / "r" / f"{name}.md").write_text(f"# Title of {name}\n", encoding="utf-8")
    nav = ["index.md", {"R": ["r/"]}, {"M": "made/"}]
    assert listing.filled(nav, str(tmp_path), ["made/x.md", "made/x.png"]) == [
        "index.md",
        {"R": ["r/README.md", "r/a.md", "r/b-index.md"]},
        {"M": ["made/x.md"]},
    ]
    with pytest.raises(SystemExit, match="no page in none/"):
        listing.filled(["none/"], str(tmp_path), [])


def test_pages_of_equal_titles_are_told_apart_by_their_files(website, tmp_path):
    for name in ("one", "two", "three"):
        title = "Another" if name == "three" else "The same"
        (tmp_path / f"{name}.md").write_text(f"# {title}\n", encoding="utf-8")
    nav = website("listing").filled(["./"], str(tmp_path), [])
    assert nav == [{"one": "one.md"}, "three.md", {"two": "two.md"}]


# -- what documents say ----------------------------------------------------------------------------


def commands_in(text):
    """Words of each ``coldstart …`` in the code of a document."""
    for _, code in FENCE.findall(text):
        for line in re.sub(r"\\\n\s*", " ", code).splitlines():
            for part in re.split(r"\||&&|;", line):
                found = re.match(r"\s*(?:\$ )?(?:\S*bin/)?coldstart (\w.*)", part)
                if found:
                    lexer = shlex.shlex(found[1], posix=True, punctuation_chars="()<>")
                    lexer.whitespace_split = True
                    try:
                        yield list(lexer)
                    except ValueError:  # a quote that ends beyond a | or ;
                        yield found[1].split()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_commands_in_documents_exist(path):
    known = dict(below(typer.main.get_command(app), ""))
    for words in commands_in(path.read_text(encoding="utf-8")):
        command, name = known[""], ""
        while words and hasattr(command, "commands") and words[0] in command.commands:
            name = f"{name} {words.pop(0)}"
            command = known[name]
        assert name, words
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= options, (name, used - options)


MODULE = re.compile(r"[\w.-]+(?:/[\w.-]+)+\.py\b")


@pytest.mark.parametrize("path", [d for d in DOCUMENTS if d.name != "CHANGELOG.md"], ids=name_of)
def test_modules_that_documents_name_exist(path):
    text = path.read_text(encoding="utf-8")
    for named in {n for span in re.findall(r"`([^`\n]+)`", text) for n in MODULE.findall(span)}:
        places = [ROOT / named, ROOT / "coldstart" / named, *ROOT.glob(f"tests/**/{named}")]
        assert any(place.is_file() for place in places), named


def test_the_example_of_the_start_page_runs(movies, monkeypatch, capsys):
    text = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    (block,) = (code for language, code in FENCE.findall(text) if language == "python")
    monkeypatch.setattr(coldstart.Recommender, "from_pretrained", lambda path: movies)
    exec(compile(block, "start.md", "exec"), {})
    *items, _ = capsys.readouterr().out.splitlines()
    years = [int(re.search(r"\b(\d{4})\b", item)[1]) for item in items]
    assert len(items) == 3
    assert all(1960 <= year < 1970 for year in years)


# -- the built site --------------------------------------------------------------------------------

PAGE = '<h2 id="here">A</h2><a href="{}">b</a><img src="{}"><link rel="canonical" href="http://c">'


@pytest.mark.parametrize(
    ("link", "image", "expected"),
    [
        ("index.html#here", "a.png", []),
        ("#here", "a.png", []),
        ("https://elsewhere.org/x", "a.png", []),
        ("gone.html", "a.png", ["index.html links to gone.html: no such file"]),
        ("#gone", "a.png", ["index.html links to #gone: no such anchor"]),
        ("#here", "https://cdn.org/a.png", ["index.html fetches https://cdn.org/a.png"]),
    ],
)
def test_the_check_finds_what_is_wrong(website, monkeypatch, tmp_path, link, image, expected):
    check = website("check")
    (tmp_path / "index.html").write_text(PAGE.format(link, image), encoding="utf-8")
    monkeypatch.setattr(check, "wanted_names", lambda: iter(["here"]))
    assert list(check.problems(tmp_path)) == expected
    monkeypatch.setattr(check, "wanted_names", lambda: iter(["coldstart.Missing"]))
    assert "no entry for coldstart.Missing" in list(check.problems(tmp_path))


def test_the_check_wants_every_name(website):
    wanted = set(website("check").wanted_names())
    assert {"coldstart.Recommender", "coldstart.recommender.Recommender"} <= wanted
    assert "coldstart.catalog.catalog.Catalog" in wanted


SOURCE = '''
"""Module."""
from typing import NamedTuple
from pydantic import BaseModel, Field

class Pair(NamedTuple):
    """Two.

    >>> [1, 2][0]
    1

    Args:
        a: one.
    """
    a: int
    b: str = "x"

class Base(BaseModel):
    """Base."""
    n: int = Field(default=3, ge=0)

class Derived(Base):
    """Derived."""
    model_config = {}
    items: list[int] = Field(default_factory=list)
    must: int = Field(ge=1)
'''


def test_named_tuples_and_models_have_the_parameters_of_their_fields(website, tmp_path):
    import griffe

    docstrings = website("docstrings")
    (tmp_path / "sample.py").write_text(SOURCE, encoding="utf-8")
    extensions = griffe.load_extensions(docstrings.Fields, docstrings.Examples)
    module = griffe.load("sample", search_paths=[tmp_path], extensions=extensions)
    found = {
        name: [(p.name, str(p.annotation), p.default and str(p.default)) for p in cls.parameters]
        for name, cls in module.classes.items()
    }
    assert found == {
        "Pair": [("a", "int", None), ("b", "str", "'x'")],
        "Base": [("n", "int", "3")],
        "Derived": [("n", "int", "3"), ("items", "list[int]", "list()"), ("must", "int", None)],
    }
    assert "```pycon\n>>> [1, 2][0]\n1\n```\n" in module["Pair"].docstring.value
