"""Recommender, service and command line with a generator on a server."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest

from coldstart import Recommender
from coldstart.cli import main
from coldstart.errors import ConfigError, GeneratorError
from coldstart.generation.decoding.local import LocalGenerator
from coldstart.generation.models.cached import LazyLM
from coldstart.grounding.index.servers import IndexUnavailable
from coldstart.serve.errors import from_coldstart
from coldstart.testing.probes import prompt_of
from coldstart.training.run import train
from tests.fakes_lm import tiny_llama
from tests.generation.remote.helpers import KEY, SAMPLE, connected, write
from tests.generation.remote.vllm_double import Fault, VllmDouble
from tests.serve.helpers import refused
from tests.serve.helpers import serving as serving_http
from tests.toy import save_tiny_base, toy_config, toy_dataset, toy_recommender, toy_split

# -- the recommender ------------------------------------------------------------------------------


def never() -> None:
    raise AssertionError("the weights were loaded")


def elsewhere(double: VllmDouble, load=never, **options) -> Recommender:
    """A recommender that has the tokenizer here and the model there."""
    made = toy_recommender(lm=LazyLM(tiny_llama().lines, 1024, load))
    made.generator = connected(double, **options)
    return made


DRAWN = replace(SAMPLE, max_new_tokens=8)
PROFILE = {"age": 24, "liked": ["Alien"]}


def test_free_loads_no_weights(double):
    rec = elsewhere(double)
    result = rec.recommend(PROFILE, strategy="free", k=5, decoding=DRAWN)
    assert len(result) == 5
    assert result.generated > 0
    assert not rec.lm.loaded
    wrote = rec.generate(PROFILE, strategy="free", decoding=DRAWN)
    prompt = prompt_of(rec, rec.resolve(PROFILE))
    assert wrote == write(rec.generator, replace(DRAWN, n=10), prompt=prompt)
    assert rec.recommend(PROFILE, strategy="prior").item_ids


def test_judging_loads_the_weights_when_it_must(double):
    rec = elsewhere(double, load=tiny_llama)
    both = rec.recommend(PROFILE, strategy="both", k=5, decoding=DRAWN)
    assert rec.lm.loaded
    assert double.bodies()
    assert len(both) == 5
    judged = rec.recommend(PROFILE, strategy="catalog", k=5)
    assert judged.item_ids == toy_recommender().recommend(PROFILE, strategy="catalog", k=5).item_ids


def test_the_weights_are_loaded_once(double):
    from concurrent.futures import ThreadPoolExecutor

    calls = []

    def load():
        calls.append(1)
        return tiny_llama()

    lm = LazyLM(tiny_llama().lines, 1024, load)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, pool.map(lambda _: lm.whole, range(8))))) == 1
    assert (calls, lm.has_plain_head, lm.device.type) == ([1], True, "cpu")


def test_choices_are_the_shortlist(double):
    rec = elsewhere(double)
    result = rec.recommend(
        PROFILE, strategy="free", k=3, decoding=replace(DRAWN, choices="shortlist")
    )
    (sent,) = double.bodies()
    titles = {choice.rstrip("\n") for choice in sent["structured_outputs"]["choice"]}
    assert titles == {item.title for item in rec.catalog}  # fewer than a shortlist has
    assert result.abstained == 0
    assert all(r.provenance.generated_text in {*titles, None} for r in result)


@pytest.mark.parametrize("local", [True, False])
def test_choices_pass_the_filters_of_the_request(double, local):
    from coldstart.ranking.filters import Categories, default_filters

    rec = elsewhere(double)
    rec.settings = replace(rec.settings, shortlist=4)
    rec.generator = LocalGenerator(tiny_llama()) if local else rec.generator
    options = {
        "filters": [*default_filters(), Categories(("Drama",), ())],
        "decoding": replace(DRAWN, choices="shortlist"),
    }
    alone = rec.recommend(PROFILE, strategy="free", k=2, **options)
    assert all("Drama" in rec.catalog[i].categories for i in alone.item_ids)
    assert alone.generated > 0
    assert not alone.abstained
    assert rec.recommend([PROFILE, {}], strategy="free", k=2, **options)[0] == alone
    if not local:
        sent = [c[:-1] for c in double.bodies()[0]["structured_outputs"]["choice"]]
        drama = {i.title for i in rec.catalog if "Drama" in i.categories}
        assert len(sent) == 4
        assert set(sent) <= drama


def test_a_large_catalog_without_a_shortlist_offers_no_choices(monkeypatch, double):
    rec = elsewhere(double)
    monkeypatch.setattr("coldstart.generation.decoding.local.MOST_CHOICES", 5)
    with pytest.raises(ConfigError, match="choices from the shortlist"):
        rec.recommend(PROFILE, strategy="free", decoding=replace(DRAWN, choices="shortlist"))


def test_several_users_are_written_for_at_the_same_time(double):
    rec = elsewhere(double)
    people = [{"age": 20 + n} for n in range(6)]
    alone = [rec.recommend(p, strategy="free", k=3, decoding=DRAWN) for p in people]
    double.asked.clear()
    double.most_under_way = 0
    double.faults += [Fault(held=lambda: double.most_under_way > 1) for _ in people]
    together = rec.recommend(people, strategy="free", k=3, decoding=DRAWN)
    assert [r.item_ids for r in together] == [r.item_ids for r in alone]
    assert double.most_under_way > 1
    assert len(double.bodies()) == 6


def test_no_more_at_a_time_than_asked_for(double):
    rec = elsewhere(double, concurrency=2)
    rec.recommend([{}], strategy="free", k=3, decoding=DRAWN)
    double.most_under_way = 0
    two = Fault(held=lambda: double.most_under_way > 1, seconds=0.1)
    double.faults += [two] * 6
    rec.recommend([{"age": 20 + n} for n in range(6)], strategy="free", k=3, decoding=DRAWN)
    assert double.most_under_way == 2


def test_one_users_error_is_nobody_elses(double):

    from coldstart.pipeline.request import RecommendOptions, RecommendRequest

    rec = elsewhere(double, retries=0)
    rec.recommend([{}], strategy="free", k=3, decoding=DRAWN)
    requests = [
        RecommendRequest(rec.resolve({"age": 20 + n}), RecommendOptions(3, "free"), DRAWN)
        for n in range(3)
    ]
    double.faults.append(Fault(500, "broken"))
    made = dict(rec.pipeline.run(requests))
    kinds = sorted(type(one).__name__ for one in made.values())
    assert kinds == ["GeneratorError", "RecommendationList", "RecommendationList"]


# -- the service ----------------------------------------------------------------------------------


def test_the_service_says_503_and_lives_without_the_generator(tmp_path, double):
    double.faults += [Fault(503, "busy", {"Retry-After": "7"})] * 50  # from the start
    with serving_http(tmp_path, load=lambda _: elsewhere(double, retries=0)) as client:
        assert client.get("/readyz").status_code == 200
        asked = {"strategy": "free", "k": 3}
        got = client.post("/v1/recommend", json=asked)
        refused(got, 503, "generator")
        assert got.headers["retry-after"] == "7"
        assert client.post("/v1/recommend", json={"strategy": "prior"}).status_code == 200
        double.faults.clear()
        assert len(client.post("/v1/recommend", json=asked).json()["items"]) == 3


@pytest.mark.parametrize(
    ("error", "kind", "seconds"),
    [
        (GeneratorError("secret", "words", retry_after=3.2), "generator", "4"),
        (GeneratorError("secret", "words"), "generator", "1"),
        (IndexUnavailable("secret", "words"), "index", "1"),
    ],
)
def test_servers_that_are_away_are_503_in_fixed_words(error, kind, seconds):
    response = from_coldstart(error).response()
    assert (response.status_code, response.headers["retry-after"]) == (503, seconds)
    assert json.loads(response.body)["error"] == kind
    assert b"secret" not in response.body


# -- the command line -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """Trained on the toy world; its language model's tokens are those of the double."""
    folder = tmp_path_factory.mktemp("toy")
    config = toy_config(save_tiny_base(folder / "base"), prompt="catalog-en", epochs=1)
    train(toy_dataset(), toy_split(), config, folder / "artifact", runs=folder / "run")
    return str(folder / "artifact")


@pytest.fixture
def served(double):
    return ["--generator", double.url, "--generator-adapter", "ml-100k"]


def test_recommend_on_the_command_line(artifact, double, served, capsys):
    asked = ["recommend", "--liked", "Alien", "--artifact", artifact, "-k", "3", "--json"]
    args = [*asked, "--strategy", "free", *served]
    assert main([*args, "--choices", "shortlist"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert len(made["items"]) == 3
    assert made["abstained"] == 0
    assert [body["model"] for body in double.bodies()] == ["ml-100k"]
    assert main([*asked, "--choices", "shortlist"]) == 2
    assert "--choices has no meaning for catalog" in capsys.readouterr().err


def test_generate_on_the_command_line(artifact, double, served, capsys, monkeypatch):
    monkeypatch.setenv("COLDSTART_GENERATOR_KEY", KEY)
    double.key = KEY
    args = ["generate", "--strategy", "free", "--artifact", artifact, "--json", *served]
    assert main([*args, "-n", "4", "--mode", "sample"]) == 0
    made = json.loads(capsys.readouterr().out)["candidates"]
    assert made
    assert main([*args, "-n", "2", "--choices", "shortlist"]) == 0
    rows = json.loads(capsys.readouterr().out)["candidates"]
    assert all(row["method"] == "exact" for row in rows)
    monkeypatch.setenv("COLDSTART_GENERATOR_KEY", "wrong")
    assert main(args) == 2
    shown = capsys.readouterr()
    assert "refuses the key" in shown.err
    assert "wrong" not in shown.err + shown.out


def test_a_loaded_artifact_has_the_tokenizer_of_its_base(artifact, double, monkeypatch, tmp_path):
    """The first time it is taken from the base model, then from the cache."""
    monkeypatch.setenv("COLDSTART_CACHE", str(tmp_path))
    for _ in range(2):
        rec = Recommender.from_pretrained(artifact, generator=connected(double))
        text = "Toy Story <|im_end|> 红高粱\n"
        assert rec.lm.lines.encode(text) == tiny_llama().lines.encode(text)
        assert rec.lm.max_tokens == tiny_llama().max_tokens
        assert not rec.lm.loaded
    (kept,) = (tmp_path / "tokenizers").iterdir()
    (kept / "tokenizer.json").write_text("{")  # damaged: made anew
    rec = Recommender.from_pretrained(artifact, generator=connected(double))
    assert rec.lm.lines.encode("Alien\n") == tiny_llama().lines.encode("Alien\n")
    assert json.loads((kept / "tokenizer.json").read_text())["model"]
    assert rec.recommend(PROFILE, strategy="catalog", k=2).item_ids
    assert rec.lm.loaded


def test_a_batch_stops_when_the_generator_does_and_goes_on_later(
    artifact, double, served, capsys, tmp_path, no_waits
):
    users = tmp_path / "users.parquet"
    pl.DataFrame({"user_id": ["a", "b", "c"], "age": [20, 30, 40]}).write_parquet(users)
    args = ["batch", "--users", str(users), "--out", str(tmp_path / "out"), "--artifact", artifact]
    args += ["--strategy", "free", "-k", "2", "--size", "2", *served]
    double.faults += [Fault(503, "busy")] * 8
    assert main(args) == 2
    assert "is busy: 503" in capsys.readouterr().err
    double.faults.clear()
    assert main(args) == 0
    made = pl.read_parquet(tmp_path / "out" / "*.parquet").sort("user_id")
    assert made["user_id"].to_list() == ["a", "b", "c"]
    assert made["error"].to_list() == [None] * 3
    assert {len(items) for items in made["items"]} == {2}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["recommend", "--generator-adapter", "x"], "no --generator URL"),
        (["recommend", "--generator-model", "x"], "no --generator URL"),
        (["recommend", "--generator", "gpu:8000"], "generator URL 'gpu:8000'"),
        (["recommend", "--generator", "http://u:s3cret@"], "generator URL"),
        (["serve", "--generator", "http://gpu", "--experiment", "ab.toml"], "one artifact"),
        (["serve", "--generator", "http://gpu", "--tenants", "all.toml"], "one artifact"),
    ],
)
def test_command_lines_that_make_no_sense(args, told, capsys):
    assert main(args) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "s3cret" not in error
