"""``coldstart catalog``, ``prompts`` and ``info``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.helpers import fails

pytestmark = pytest.mark.usefixtures("fake")


def test_catalog_check(run, tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("item_id,title\n1,Alien\n2,Alien\n")
    bad.write_text("item_id,title\n1,Alien\n1,\n")
    code, out, err = run("catalog", "check", good)
    assert (code, err) == (0, "")
    assert "warning" in out
    assert "rows 2, 3" in out
    assert "fit to be a catalog (1 × warning)" in out
    code, out, _ = run("catalog", "check", bad, "--json")
    assert code == 2
    report = json.loads(out)
    assert report["ok"] is False
    assert report["problems"][0]["rows"] == [3]
    assert run("catalog", "check", tmp_path / "none.csv")[0] == 2


def test_catalog_check_tells_what_was_read(run, tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("Artikelnr;what;Kategorie;poster\n1;Stuhl;A, B;/1.jpg\n2;1;B, C;/2.jpg\n")
    assert run("catalog", "check", path)[0] == 2
    code, out, _ = run("catalog", "check", path, "--columns", "title=what")
    assert code == 0
    assert f"Read {path} (UTF-8, separated by semicolon in spite of .csv): 2 rows" in out
    assert "item_id ← Artikelnr, title ← what, categories ← Kategorie" in out
    assert "kept as attributes: poster (pictures)" in out
    assert "categories in Kategorie, separated by ',': 3 different, most often B, A, C" in out
    _, out, _ = run("catalog", "check", path, "--columns", "title=what,categories=", "--json")
    report = json.loads(out)
    assert "no categories: no column is named like them" in report["read"]
    assert "titles that are ids of other items, such as '1'," in [
        p["what"] for p in report["problems"]
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("titel=what", "no field 'titel' did you mean 'title'?"),
        ("title=wat", "no column 'wat' did you mean 'what'?"),
        ("item_id=sku", "no column for title among: sku, what name it: --columns title=…"),
    ],
)
def test_catalog_check_hints_in_terms_of_the_command_line(run, tmp_path, columns, message):
    path = tmp_path / "shop.csv"
    path.write_text("sku,what\n1,Stuhl\n")
    code, out, _ = run("catalog", "check", path, "--columns", columns)
    assert code == 2
    assert message in " ".join(out.split())


def test_prompts_list_and_show(run):
    names = [t["name"] for t in json.loads(run("prompts", "list", "--json")[1])]
    assert "movies-en" in names
    assert "movies-en" in run("prompts", "list")[1]
    shown = json.loads(run("prompts", "show", "movies-en", "--json")[1])
    assert shown["example"]["text"].endswith("Toy Story\nTwelve Monkeys\n")
    assert "{% for title in liked %}" in shown["source"]
    out = run("prompts", "show", "movies-en")[1]
    assert shown["source"] in out
    assert out.endswith(shown["example"]["text"])
    fails(run("prompts", "show", "nix"), "'nix'", "movies-en")


def template(folder: Path, text: str, example: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "template.j2").write_text(text)
    (folder / "meta.toml").write_text(
        'language = "en"\ndomain = "any"\ndescription = "d"\nvariables = ["liked"]\n'
        f'[example]\ntext = "{example}"\n[example.profile]\nliked = ["A"]\n'
    )
    return folder


def test_prompts_lint(run, tmp_path):
    assert run("prompts", "lint")[0] == 0
    loop = "Films:\n{% for t in liked %}\n{{ t }}\n{% endfor %}\n"
    template(tmp_path / "all" / "good", loop, r"Films:\nA\n")
    assert run("prompts", "lint", tmp_path / "all")[0] == 0
    template(tmp_path / "all" / "stale", loop, r"Movies:\nA\n")
    template(tmp_path / "all" / "wrong", loop + "{{ agee }}", "")
    code, out, _ = run("prompts", "lint", tmp_path / "all", "--json")
    assert code == 2
    report = json.loads(out)
    problems = {Path(t["name"]).name: t["problems"] for t in report["templates"]}
    assert problems["good"] == []
    assert "is not what the template renders" in problems["stale"][0]
    assert "'agee'" in problems["wrong"][0]
    code, out, _ = run("prompts", "lint", "nix")
    assert code == 2
    assert "no prompt template 'nix'" in out


def test_info(run, monkeypatch):
    from coldstart.artifacts import format as artifacts

    manifest = {
        "base": {"name": "smol"},
        "split": {"train": 3},
        "validation": {"history": [{"epoch": 0, "loss": 0.123456}, {"epoch": 1, "loss": 0.1}]},
        "variables": list("abcdefghijklmnop"),
        "merged": True,
        "path": Path("x"),
    }
    monkeypatch.setattr(artifacts, "read_manifest", lambda path: manifest)
    out = run("info", "somewhere")[1]
    for part in ("smol", "epoch 0, loss 0.1235", "16 entries", "yes"):
        assert part in out
    assert json.loads(run("info", "somewhere", "--json")[1])["path"] == "x"


def test_info_says_what_was_learned_from_requests(run, monkeypatch):
    from coldstart.artifacts import format as artifacts

    told = {"name": "redial", "train": 9000, "valid": 1000, "blend_cases": 800}
    files = ("adapter/a", "scorers/request_memory/a", "scorers/request_memory/b", "scorers/own/a")
    manifest = {"requests": told, "files": dict.fromkeys(files, "sha")}
    monkeypatch.setattr(artifacts, "read_manifest", lambda path: manifest)
    learned = "learned: request memory from 9,000 requests of redial; weights from 800 validation"
    assert learned in run("info", "somewhere")[1]
    told["settings"] = {"final": True, "reading_epochs": 2}
    out = " ".join(run("info", "somewhere")[1].split())
    assert "from 10,000 requests of redial" in out
    assert "the language model reads sentences of which no rule understands anything" in out
    del manifest["requests"]
    assert "learned" not in run("info", "somewhere")[1]


def test_info_of_nothing(run, tmp_path):
    fails(run("info", tmp_path), "no artifact at")
