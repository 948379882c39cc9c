from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from coldstart import __version__
from coldstart.catalog.catalog import Catalog
from coldstart.cli import main
from coldstart.errors import ModelError
from coldstart.schema import (
    Candidate,
    Dropped,
    Grounding,
    Item,
    Match,
    Provenance,
    Reason,
    Recommendation,
    RecommendationList,
)
from tests.waiting import PATIENCE

ITEMS = [
    Item(item_id="1", title="Toy Story", year=1995, categories=("Animation",)),
    Item(item_id="2", title="[REC]", year=2007, categories=("Horror", "Sci-Fi")),
    Item(item_id="3", title="Fargo"),
]


class FakeRecommender:
    """Answers with the whole catalog, and remembers what it was asked."""

    calls: list[dict] = []
    loaded: list[tuple] = []

    def __init__(self):
        self.catalog = Catalog(ITEMS)

    @classmethod
    def from_pretrained(cls, path, *, device="auto", dtype="auto", revision=None, generator=None):
        cls.loaded.append((path, device, dtype, revision))
        if path == "broken":
            raise ModelError("cannot load\nit\x1b[31m", hint="mend it")
        if path == "bug":
            raise KeyError("oops")
        if path == "slow":
            raise KeyboardInterrupt
        return cls()

    def recommend(self, profile, context=None, **options):
        self.calls.append({"profile": profile, "context": context, **options})
        parts = {"popularity": 0.25, "model": -0.5, "words": 0.0}
        return RecommendationList(
            items=tuple(
                Recommendation(
                    rank=rank,
                    item_id=item.item_id,
                    title=item.title,
                    year=item.year,
                    score=1 / rank,
                    reason="popular",
                    provenance=Provenance(
                        strategy=options["strategy"],
                        logprob=float("-inf"),
                        matched_by="trie",
                        contributions=parts,
                    ),
                )
                for rank, item in enumerate(self.catalog, start=1)
            )[: options["k"]],
            k=options["k"],
            strategy=options["strategy"],
            dropped=(Dropped(item_id="9", title="Alien", filter="known", detail="already seen"),),
            dropped_counts={"known": 1},
            notes=("prompt trimmed",),
            prompt="Favourite [movies]:\n",
        )

    def generate(self, profile, context=None, **options):
        self.calls.append({"profile": profile, "context": context, **options})
        strategy = options["strategy"]
        texts = ["Toy Story", "Zzz"]
        return [Candidate(text=t, logprob=-1.5, strategy=strategy) for t in texts]

    def ground(self, candidates):
        first, second = candidates
        return [
            Grounding(
                candidate=first, matches=(Match(item_id="1", similarity=1.0),), method="exact"
            ),
            Grounding(candidate=second, method="abstained"),
        ]


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    module = ModuleType("coldstart.recommender")
    module.Recommender = FakeRecommender
    monkeypatch.setitem(sys.modules, "coldstart.recommender", module)
    monkeypatch.setattr(FakeRecommender, "calls", [])
    monkeypatch.setattr(FakeRecommender, "loaded", [])
    monkeypatch.delenv("COLDSTART_DEBUG", raising=False)
    monkeypatch.delenv("COLDSTART_ARTIFACT", raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    return FakeRecommender


@pytest.fixture
def run(capsys):
    """Run the command line; returns exit code, stdout and stderr."""

    def call(*args):
        code = main([str(a) for a in args])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def fails(result, *parts):
    """Exit code 2, nothing on stdout, one line on stderr that holds ``parts``."""
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err
    return err


def stdin(monkeypatch, text):
    data = text if isinstance(text, bytes) else text.encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


# -- recommend: what is asked ---------------------------------------------------------------------


def test_flags_become_profile_context_and_options(run, fake):
    code, _, _ = run(
        "recommend", "--age", 24, "--gender", "M", "--occupation", "technician",
        "--location", "Köln", "--language", "de", "--attribute", "diet=a=b",
        "--interest", "Sci-Fi", "--interest", "Thriller", "--about", "slow", "--liked", "Toy Story",
        "--disliked", "3", "--seen", "2", "--time", "Friday", "--using", "TV", "--place", "home",
        "--occasion", "date", "--text", "funny", "--viewing", "1", "-k", 2, "--strategy", "both",
        "--diversity", 0.5, "--popularity-penalty", 0.1, "--near-duplicates", "--seed", 7,
        "--ignore-unknown",
        "--artifact", "here", "--device", "cpu", "--dtype", "float32", "--revision", "v1",
    )  # fmt: skip
    assert code == 0
    [call] = fake.calls
    assert call.pop("profile").model_dump(exclude_defaults=True) == {
        "age": 24,
        "gender": "M",
        "occupation": "technician",
        "location": "Köln",
        "language": "de",
        "attributes": {"diet": "a=b"},
        "interests": ("Sci-Fi", "Thriller"),
        "about": "slow",
        "liked": ({"item": "Toy Story"},),
        "disliked": ({"item": "3"},),
        "seen": ({"item": "2"},),
    }
    assert call.pop("context").model_dump(exclude_defaults=True) == {
        "time": "Friday",
        "device": "TV",
        "place": "home",
        "occasion": "date",
        "text": "funny",
        "viewing": {"item": "1"},
    }
    assert call == {
        "k": 2,
        "strategy": "both",
        "filters": None,
        "diversity": 0.5,
        "popularity_penalty": 0.1,
        "near_duplicates": True,
        "unknown_picks": "ignore",
        "decoding": None,
        "seed": 7,
    }
    assert fake.loaded == [("here", "cpu", "float32", "v1")]


def test_the_artifact_may_come_from_the_environment(run, fake, monkeypatch):
    monkeypatch.setenv("COLDSTART_ARTIFACT", "elsewhere")
    assert run("recommend")[0] == 0
    assert fake.loaded[0][0] == "elsewhere"


def test_filters_add_to_the_default_ones(run, fake):
    run("recommend", "--exclude-category", "horror", "--from-year", 1990, "--to-year", 2000)
    names = [f.name for f in fake.calls[0]["filters"]]
    assert names == ["known", "available", "age-rating", "categories", "years"]
    years = fake.calls[0]["filters"][-1]
    assert (years.first, years.last) == (1990, 2000)


def test_a_misspelled_category_is_refused(run):
    fails(run("recommend", "--include-category", "SciFi"), "'SciFi'", "did you mean 'Sci-Fi'?")
    fails(run("recommend", "--exclude-category", "x"), "there are: Animation, Horror, Sci-Fi")


def test_flags_replace_fields_and_extend_lists_of_the_file(run, fake, tmp_path):
    path = tmp_path / "user.json"
    path.write_text(
        json.dumps(
            {
                "profile": {
                    "age": 31,
                    "gender": "F",
                    "liked": "Fargo",
                    "seen": [{"item": "2", "at": "2024-01-01T00:00:00"}],
                    "attributes": {"a": 1, "b": 2},
                },
                "context": {"time": "noon", "place": "home"},
            }
        )
    )
    run("recommend", "--profile", path, "--age", 32, "--liked", "1", "--seen", "3",
        "--attribute", "b=3", "--time", "night")  # fmt: skip
    profile, context = fake.calls[0]["profile"], fake.calls[0]["context"]
    assert (profile.age, profile.gender) == (32, "F")
    assert [p.item for p in profile.liked] == ["Fargo", "1"]
    assert [p.item for p in profile.seen] == ["2", "3"]
    assert profile.seen[0].at is not None
    assert profile.attributes == {"a": "1", "b": "3"}
    assert (context.time, context.place) == ("night", "home")


def test_picks_are_favourites_unless_they_are_said_to_be_a_history(run, fake):
    run("recommend", "--liked", "1")
    run("recommend", "--liked", "1", "--history")
    assert [call["profile"].history for call in fake.calls] == [False, True]


def test_a_plain_profile_comes_from_standard_input(run, fake, monkeypatch):
    stdin(monkeypatch, '\ufeff{"age": 31, "liked": ["Toy Story"]}\n')
    assert run("recommend", "-p", "-")[0] == 0
    assert fake.calls[0]["profile"].age == 31


@pytest.mark.parametrize(
    "text",
    ['[{"age": 1, "user_id": "ann"}, {"age": 2}]', '{"age": 1, "user_id": "ann"}\n\n{"age": 2}\n'],
)
def test_several_users_get_an_answer_each(run, fake, monkeypatch, text):
    stdin(monkeypatch, text)
    code, out, _ = run("recommend", "--profile", "-", "--gender", "F")
    assert code == 0
    assert out.index("ann") < out.index("user 2")
    assert [(c["profile"].age, c["profile"].gender) for c in fake.calls] == [(1, "F"), (2, "F")]
    stdin(monkeypatch, text)
    answers = json.loads(run("recommend", "--profile", "-", "--json")[1])
    assert [a["user_id"] for a in answers] == ["ann", None]


def test_json_lines_give_a_list_even_for_one_user(run, tmp_path):
    path = tmp_path / "users.jsonl"
    path.write_text('{"age": 3}\n')
    assert len(json.loads(run("recommend", "--profile", path, "--json")[1])) == 1


# -- recommend: what is printed -------------------------------------------------------------------


def test_table_shows_titles_as_they_are_and_what_was_left_out(run):
    code, out, err = run("recommend")
    assert (code, err) == (0, "")
    assert "[REC]" in out
    assert "0.500" in out
    assert "popular" in out
    assert "left out: Alien – already seen" in out
    assert "note: prompt trimmed" in out
    assert "Favourite" not in out
    assert "\x1b" not in out


def test_explain_shows_contributions_and_the_prompt(run):
    _, out, _ = run("recommend", "--explain", "-k", 1)
    assert "model -0.50, popularity +0.25" in out
    assert out.endswith("Favourite [movies]:\n")


def test_json_is_one_valid_document(run):
    code, out, err = run("recommend", "--json", "-k", 2)
    assert (code, err) == (0, "")
    answer = json.loads(out, parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    assert [r["item_id"] for r in answer["items"]] == ["1", "2"]
    assert answer["items"][0]["provenance"]["logprob"] is None  # minus infinity
    assert answer["notes"] == ["prompt trimmed"]
    assert answer["user_id"] is None


def test_reasons_come_in_the_language_named_and_as_data(run, fake, monkeypatch):
    reasons = (Reason(code="alike", arguments={"pick": "Good, and Bad"}), Reason(code="cold"))
    plain = fake.recommend

    def explained(self, profile, context=None, **options):
        found = plain(self, profile, context, **options)
        items = (r.model_copy(update={"reasons": reasons, "reason": "English"}) for r in found)
        return found.model_copy(update={"items": tuple(items)})

    monkeypatch.setattr(fake, "recommend", explained)
    code, out, err = run(
        "recommend", "-k", 1, "--json", "--reasons-in", "zh-CN", "--language", "de"
    )
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["items"][0]["reason"] == "和《Good, and Bad》相似；目录中的新品，接近人们喜欢的。"
    assert answer["items"][0]["reasons"] == [r.model_dump() for r in reasons]
    assert fake.calls[-1]["profile"].language == "de"
    assert "和《Good, and Bad》相似" in run("recommend", "-k", 1, "--reasons-in", "zh")[1]
    assert "Similar to Good, and Bad" in run("recommend", "-k", 1)[1]
    loaded = len(fake.loaded)
    fails(run("recommend", "--reasons-in", "fr"), "no reasons in language 'fr'", "one of en, zh")
    assert len(fake.loaded) == loaded


# -- recommend: mistakes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('{"age": 24,\n "gender": }', ["standard input: not JSON at line 2, column 12"]),
        ('{"age": 1}\n{"age" 2}\n', ["line 2, column 8"]),
        ("", ["no profile in it"]),
        ("[]", ["no profile in it"]),
        ("[1]", ["user 1: expected a JSON object, got int"]),
        ('"x"', ["expected a JSON object, got str"]),
        ('{"agee": 1}', ["agee: Extra inputs", "fields: "]),
        ('{"age": -1}', ["age: Input should be greater"]),
        ('[{"age": 1}, {"age": "x"}]', ["user 2: invalid profile: age"]),
        ('{"profile": 3}', ["invalid profile"]),
        ('{"profile": {}, "context": {"weather": "wet"}}', ["invalid context: weather"]),
        ('{"profile": {}, "k": 3}', ["k: Extra inputs"]),
        (b'{"about": "\xff"}', ["not UTF-8 at byte 11"]),
        ("[" * 200_000, ["nested too deeply"]),
    ],
)
def test_bad_profiles_get_one_line_before_anything_is_loaded(run, fake, monkeypatch, text, parts):
    stdin(monkeypatch, text)
    fails(run("recommend", "--profile", "-"), *parts)
    assert not fake.loaded


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["--age", "x"], ["'--age'", "see coldstart recommend --help"]),
        (["--age", "-3"], ["age: Input should be greater than or equal to 0"]),
        (["--nonsense"], ["--nonsense", "hint: see coldstart recommend --help"]),
        (["-k", "0"], ["-k"]),
        (["--strategy", "magic"], ["--strategy"]),
        (["--diversity", "1.5"], ["--diversity"]),
        (["--from-year", "2000", "--to-year", "1990"], ["first year 2000 is after"]),
        (["--include-category", "a", "--exclude-category", "A"], ["both included and excluded"]),
        (["--attribute", "diet"], ["'diet'", "NAME=VALUE"]),
        (["--profile", "no/such.json"], ["no/such.json: No such file", "check the path"]),
    ],
)
def test_bad_options_get_one_line_before_anything_is_loaded(run, fake, args, parts):
    fails(run("recommend", *args), *parts)
    assert not fake.loaded


def test_errors_fit_on_one_line_and_carry_no_control_characters(run):
    err = fails(run("recommend", "--artifact", "broken"), "cannot load it", "(hint: mend it)")
    assert "\x1b" not in err


def test_debug_shows_the_traceback(run, monkeypatch):
    monkeypatch.setenv("COLDSTART_DEBUG", "1")
    code, _, err = run("recommend", "--artifact", "broken")
    assert code == 2
    assert "Traceback" in err


def test_a_bug_is_called_a_bug(run):
    code, out, err = run("recommend", "--artifact", "bug")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "this is a bug" in err


def test_ctrl_c_is_quiet(run):
    assert run("recommend", "--artifact", "slow") == (130, "", "")


# -- generate -------------------------------------------------------------------------------------


def test_generate_shows_where_titles_landed(run, fake):
    code, out, err = run("generate", "--liked", "3", "-n", 2)
    assert (code, err) == (0, "")
    assert "Toy Story (1995)" in out
    assert "-1.50" in out
    assert "nothing like it" in out
    assert fake.calls[0]["decoding"] is None
    assert fake.calls[0]["n"] == 2


def test_generate_as_json(run):
    answer = json.loads(run("generate", "--json")[1])
    assert answer["abstained"] == 1
    assert answer["candidates"][0] == {
        "text": "Toy Story",
        "logprob": -1.5,
        "strategy": "catalog",
        "method": "exact",
        "matches": [{"item_id": "1", "similarity": 1.0, "title": "Toy Story"}],
    }


def test_decoding_options_are_for_free_titles(run, fake):
    fails(run("generate", "--top-p", 0.5), "--top-p", "--strategy free")
    run("generate", "--strategy", "free", "--mode", "beam", "--temperature", 0.5, "-n", 3)
    decoding = fake.calls[0]["decoding"]
    assert (decoding.mode, decoding.n, decoding.temperature) == ("beam", 3, 0.5)


# -- train ----------------------------------------------------------------------------------------


@pytest.fixture
def trained(monkeypatch):
    """Replace the training run by one that reports a little; returns what it was given."""
    given = {}

    def train(data, split, config, out, *, report, resume, runs):
        given.update(data=data, split=split, config=config, out=out, resume=resume, runs=runs)
        report({"stage": "epoch", "epoch": 0, "valid_loss": 1.23456, "valid_ndcg@10_k0": 0.4})
        for step in (1, 2):
            report({"stage": "train", "epoch": 0, "step": step, "steps": 2, "loss": 0.5, "lr": 0.1})
        report({"stage": "ranker", "step": 1, "steps": 1})
        return {"name": data.name, "validation": {"best_epoch": given.get("best", 1)}}

    module = ModuleType("coldstart.training.run")
    module.train = train
    monkeypatch.setitem(sys.modules, "coldstart.training.run", module)
    return given


@pytest.fixture
def tables(tmp_path):
    items, interactions = tmp_path / "items.csv", tmp_path / "ratings.csv"
    items.write_text("item_id,title\n1,Alien\n2,Fargo\n")
    rows = [f"u{n},{1 + n % 2},{5 - n % 3}" for n in range(20)]
    interactions.write_text("user_id,item_id,rating\n" + "\n".join(rows))
    return ["--items", items, "--interactions", interactions, "--out", tmp_path / "out"]


def test_train_passes_everything_on_and_reports(run, trained, tables, tmp_path):
    code, out, err = run(
        "train", *tables, "--epochs", 2, "--objective", "branch", "--learning-rate", 0.01,
        "--seed", 3, "--like-at", 5, "--dislike-at", 3, "--no-resume", "--runs", tmp_path / "runs",
    )  # fmt: skip
    assert code == 0
    config = trained["config"]
    assert (config.epochs, config.objective, config.learning_rate) == (2, "branch", 0.01)
    assert (config.seed, config.tau) == (3, 0.2)
    assert trained["out"] == tmp_path / "out"
    assert trained["runs"] == tmp_path / "runs"
    assert trained["resume"] is False
    assert trained["data"].name == "ratings"
    assert set(trained["data"].likes) == {f"u{n}" for n in range(0, 20, 3)}
    everyone = {*trained["split"].train, *trained["split"].valid, *trained["split"].test}
    assert everyone == set(trained["data"].likes)
    assert "best_epoch" in out
    assert "epoch 0: valid_loss 1.235, valid_ndcg@10_k0 0.4" in err


def test_an_adapter_that_never_got_better_is_said_to_be_untrained(run, trained, tables):
    assert "untrained" not in run("train", *tables)[2]
    trained["best"] = 0
    assert "no epoch ranked better" in run("train", *tables)[2]


def test_train_takes_a_split(run, trained, tables, tmp_path):
    split = {"train": ["u0"], "valid": ["u3"], "test": []}
    (tmp_path / "split.json").write_text(json.dumps(split))
    code, out, _ = run("train", *tables, "--split", tmp_path / "split.json", "--json")
    assert code == 0
    assert json.loads(out)["validation"] == {"best_epoch": 1}
    assert trained["split"].valid == ("u3",)


def test_train_refuses_what_makes_no_sense(run, trained, tables, tmp_path):
    out = tables[-2:]
    fails(run("train", *out), "no data was given", "--data ml-small, or --items")
    fails(run("train", *tables[:2], *out), "own tables without --interactions")
    fails(run("train", *tables[2:]), "own tables without --items")
    fails(run("train", "--users", tables[1], *out), "own tables without --items")
    fails(run("train", "--data", "ml-100k", *tables), "--data and own tables (--items, --inter")
    fails(run("train", "--data", "ml-small", "--users", "x", *out), "own tables (--users)")
    fails(run("train", "--data", "netflix", *out), "--data")
    fails(run("train", "--data", "ml-100k", "--like-at", 3, *out), "own tables", "are 4 and 2")
    fails(run("train", *tables, "--dislike-at", 4), "--dislike-at 4 is not below --like-at 4")
    fails(run("train", *tables, "--tau", -1), "tau is -1")
    fails(run("train", *tables[:4]), "--out")
    fails(run("train", *tables, "--split", tmp_path / "none.json"), "none.json is no split file")
    assert not trained


def test_train_never_replaces_a_folder_that_is_no_artifact(run, trained, tables, tmp_path):
    mine = tmp_path / "out" / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("precious")
    fails(run("train", *tables), "exists and is no artifact")
    (tmp_path / "out" / "manifest.json").write_text("{}")
    assert run("train", *tables)[0] == 0


# -- fetch ----------------------------------------------------------------------------------------


@pytest.fixture
def downloads(monkeypatch, tmp_path):
    """A cache that a fake download fills; returns what was downloaded."""
    from coldstart.runtime import fetch, models

    monkeypatch.setenv("COLDSTART_CACHE", str(tmp_path / "cache"))
    done = []

    def download(source, *, force=False):
        done.append((source.name, force))
        fetch.fetched(source).mkdir(parents=True, exist_ok=True)
        (fetch.fetched(source) / "data.bin").write_bytes(b"x" * 100_000)
        return fetch.fetched(source)

    monkeypatch.setattr(fetch, "fetch", download)
    monkeypatch.setattr(models, "resolve", lambda name, force=False: f"converted-{name}")
    return done


def test_fetch_gets_everything_and_says_where_it_is(run, downloads):
    code, out, err = run("fetch", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)}
    assert list(rows) == ["smollm2-135m-instruct", "all-minilm-l6-v2", "ml-100k"]
    assert [name for name, _ in downloads] == list(rows)
    assert rows["smollm2-135m-instruct"]["converted"] == "converted-smollm2-135m-instruct"
    assert rows["ml-100k"]["size_mb"] == 0.1
    assert len(rows["ml-100k"]["sha256"]) == 64
    assert "fetching ml-100k: recbole 1.2.1, 2 MB" in err


def test_fetch_one_by_force(run, downloads):
    assert run("fetch", "ml-100k", "--force")[0] == 0
    assert downloads == [("ml-100k", True)]


def test_fetch_list_downloads_nothing(run, downloads):
    code, out, err = run("fetch", "--list")
    assert (code, err, downloads) == (0, "", [])
    assert "see the GroupLens terms" in out


def test_fetch_names_what_there_is(run, downloads):
    fails(run("fetch", "gpt-5"), "'gpt-5'", "smollm2-135m-instruct, all-minilm-l6-v2, ml-100k")


# -- catalog, prompts, info -----------------------------------------------------------------------


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


def test_info_of_nothing(run, tmp_path):
    fails(run("info", tmp_path), "no artifact at")


# -- help and the real process --------------------------------------------------------------------

COMMANDS = [
    ["recommend"], ["generate"], ["train"], ["log"], ["fetch"], ["info"],
    ["catalog", "check"], ["prompts", "list"], ["prompts", "show"], ["prompts", "lint"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_has_examples_and_offers_json(run, command):
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert out.count(f"  coldstart {' '.join(command)}") >= 2
    assert "--json" in out


def test_help_lists_commands_in_the_order_of_use(run):
    out = run("--help")[1]
    names = "recommend generate fetch train log info catalog prompts".split()
    places = [out.index(f"│ {name} ") for name in names]
    assert places == sorted(places)
    assert "  coldstart recommend --age 24" in out


def python(*args, **options):
    env = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    return subprocess.run(
        [sys.executable, *args],
        cwd=Path(__file__).parents[2],
        env={**env, "PYTHONIOENCODING": "utf-8", **options.pop("env", {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
        **options,
    )


def test_version_of_the_module():
    done = python("-m", "coldstart", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"coldstart {__version__}\n", "")


def test_unknown_option_of_the_real_process():
    done = python("-m", "coldstart", "recommend", "--nonsense")
    fails((done.returncode, done.stdout, done.stderr), "--nonsense")


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom coldstart.cli import main\n"
        "main(['train', '--help'])\n"
        "main(['log', '--help'])\n"
        "heavy = {'torch', 'transformers', 'polars', 'numpy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = python("-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_unicode_still_gets_an_answer():
    done = python("-m", "coldstart", "prompts", "list", "--json", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "任何商品目录" in json.loads(done.stdout)[1]["description"]
    assert python("-m", "coldstart", "prompts", "list", env={"PYTHONIOENCODING": "ascii"}).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_closed_pipe_is_quiet(more):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "coldstart", "prompts", "show", "movies-en", *more],
            cwd=Path(__file__).parents[2],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.returncode == 1
    assert done.stderr == b""
