from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coldstart import Recommender
from coldstart.cli import main
from coldstart.cli.audit import AUDITS as NAMES
from coldstart.errors import ArtifactError, DataError
from coldstart.evaluation.audits import hallucinations, prompt_sensitivity
from coldstart.evaluation.audits.auditor import (
    AUDITS,
    Auditor,
    base_model,
    held_out,
    training_people,
)
from coldstart.evaluation.audits.counterfactual import (
    ANOTHER,
    ATTRIBUTES,
)
from coldstart.evaluation.audits.report import AuditReport
from coldstart.evaluation.audits.title_completion import (
    Cue,
    recall,
)
from coldstart.runtime import models
from coldstart.schema import DecodingConfig
from coldstart.splitting.user_splits import Split
from tests.conftest import ARTIFACT
from tests.evaluation.audits.worlds import make
from tests.toy import save_tiny_base, toy_dataset, toy_split


def test_held_out_users_are_test_users_drawn_by_the_seed():
    data, split = toy_dataset(), toy_split()
    drawn = {c.user for c in held_out(data, split, 3, seed=1)}
    assert len(drawn) == 3
    assert drawn <= set(split.test)
    assert drawn == {c.user for c in held_out(data, split, 3, seed=1)}
    assert len({c.user for c in held_out(data, split, 999)}) == len(split.test)
    assert training_people(data, split).keys() == set(split.train)
    with pytest.raises(DataError, match="none of the split's 0 test users"):
        held_out(data, replace(split, test=()), 3)
    with pytest.raises(DataError, match="have no likes in toy"):
        held_out(data, Split((), (), ("nobody",)), 3)
    with pytest.raises(ArtifactError, match="base model is unknown"):
        base_model(make())


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The toy world as a user's own tables, in which nobody says a gender."""
    folder = tmp_path_factory.mktemp("own")
    data = toy_dataset()
    items = ["item_id,title,year", *(f'{i.item_id},"{i.title}",{i.year}' for i in data.catalog)]
    seen = ["user_id,item_id,rating,timestamp"]
    seen += [f"{u},{i},5,{at}" for u, likes in data.likes.items() for at, i in enumerate(likes)]
    users = ["user_id,age,occupation"]
    users += [
        f"{u},{p.age + 10 * (n % 2)},{p.occupation}" for n, (u, p) in enumerate(data.users.items())
    ]
    for name, lines in (("items", items), ("interactions", seen), ("users", users)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "artifact").mkdir()
    toy_split().save(folder / "artifact" / "split.json")
    options = [
        x for n in ("items", "interactions", "users") for x in (f"--{n}", folder / f"{n}.csv")
    ]
    return [folder / "artifact", *options]


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    base = save_tiny_base(tmp_path / "base")
    known = models.fingerprint(models.load_causal_lm(base), models.load_tokenizer(base))
    made = make(name="toy", data={"name": "toy"}, base={"name": base, "fingerprint": known})
    monkeypatch.setattr(Recommender, "from_pretrained", lambda path: made)
    quick = {n: replace(c, max_new_tokens=5) for n, c in hallucinations.MODES.items()}
    monkeypatch.setattr(hallucinations.audit_ledger, "__kwdefaults__",
                        hallucinations.audit_ledger.__kwdefaults__ | {"modes": quick})  # fmt: skip

    def call(*args):
        capsys.readouterr()
        code = main(["audit", *map(str, args)])
        return (code, *capsys.readouterr())

    return call


def test_the_command_audits_own_tables_and_says_what_it_left_out(run, tables, tmp_path):
    out = tmp_path / "results" / "audit-v1.2"
    code, printed, err = run(*tables, "--sample", 3, "--out", out)
    assert code == 0, err
    data = json.loads((tmp_path / "results" / "audit-v1.2.json").read_text(encoding="utf-8"))
    text = (tmp_path / "results" / "audit-v1.2.md").read_text(encoding="utf-8")
    assert set(AUDITS) < set(data)
    assert "gender is not changed: no training user says it" in err
    assert data["left_out"] == ["gender is not changed: no training user says it"]
    assert "**Left out:** gender is not changed" in text
    for heading in ("Who the user is, k=0", "How the prompt is worded, k=3", "What free writing"):
        assert f"## {heading}" in printed
        assert f"## {heading}" in text
    assert f"--sample 3 --seed 0 --out {out}" in data["about"]["command"]
    assert "What the base model knew" in text
    assert "One user in every wording" in text


def test_only_some_audits_and_plain_json(run, tables):
    code, printed, _ = run(*tables, "--sample", 2, "--only", "counterfactual", "--json")
    data = json.loads(printed)
    assert code == 0
    assert set(AUDITS) & set(data) == {"counterfactual"}
    again = json.loads(run(*tables, "--sample", 2, "--only", "counterfactual", "--json")[1])
    assert data == again
    assert {r["changed"] for r in data["counterfactual"]["rows"]} == {"age", "occupation", ANOTHER}


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--only", "luck"], ["no audit 'luck'", "counterfactual, wordings, memory, ledger"]),
        (["--only", ","], ["names no audit"]),
        (["--only", "memory", "--wording", "x"], ["--wording without the audit wordings"]),
        (["--wording", "nowhere"], ["no prompt template 'nowhere'"]),
        (["--sample", "1"], ["--sample"]),
        (["--split", "nowhere.json"], ["nowhere.json is no split file"]),
    ],
)
def test_mistakes_are_one_line(run, tables, options, parts):
    code, printed, err = run(*tables, *options)
    assert (code, printed) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert all(part in err for part in parts)


def test_without_tables_there_is_nothing_to_ask_about(run, tables):
    code, _, err = run(tables[0])
    assert code == 2
    assert "no data" in err or "nothing" in err


def test_help_has_examples(run):
    assert tuple(AUDITS) == NAMES
    code, printed, _ = run("--help")
    assert code == 0
    assert printed.count("  coldstart audit") >= 3
    assert "--json" in printed


def test_a_slice_of_the_shipped_artifact(shipped, movielens):
    """A few real users: attributes move lists, wordings move them less than another person does."""
    split = Split.load(ARTIFACT / "split.json")
    chosen = held_out(movielens, split, 2)
    people = training_people(movielens, split)
    auditor = Auditor(shipped, [c for c in chosen if c.n_picks == 3], people)
    who = auditor.run("counterfactual")
    assert {*ATTRIBUTES, ANOTHER} <= {r.changed for r in who.rows}
    row = {(r.system, r.changed): r for r in who.rows}
    for name in ATTRIBUTES:
        assert (
            row[prompt_sensitivity.FULL, ANOTHER].rbo.value
            < row[prompt_sensitivity.FULL, name].rbo.value
            < 1
        )
    found = hallucinations.audit_ledger(
        shipped, [c for c in chosen if c.n_picks == 0], modes={"beam": DecodingConfig()}
    )
    assert found.entries[0].exact.value > 0.8
    report = AuditReport({"counterfactual": who, "ledger": found}, {"artifact": "ml-100k"})
    assert "## Who the user is, k=3" in report.markdown()


def test_the_base_model_completes_what_everyone_knows(smollm2):
    cues = [
        Cue("1", "Title: Toy", " Story"),
        Cue("2", "Title: Toy", " Qwertz"),
        Cue("3", "The capital of France is", " Paris"),
    ]
    toy, noise, paris = recall(smollm2, cues)
    assert paris.greedy
    assert not noise.greedy
    assert toy.logprob > noise.logprob
    assert toy.rank < noise.rank
