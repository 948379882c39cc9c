"""The audits: their arithmetic on tiny fakes, and one slice on the shipped artifact."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coldstart import Catalog, Item, Recommender, UserProfile, prompts
from coldstart.cli import main
from coldstart.cli.audit import AUDITS as NAMES
from coldstart.errors import ArtifactError, ConfigError, DataError
from coldstart.evaluation.audits import ledger, memory, wordings
from coldstart.evaluation.audits.agreement import (
    DEPTH,
    compare,
    mean_of,
    overlap,
    rank_biased_overlap,
    rank_shift,
)
from coldstart.evaluation.audits.completion import Cue, half_titles, recall, rows, whole_titles
from coldstart.evaluation.audits.counterfactual import (
    ANOTHER,
    ATTRIBUTES,
    Flips,
    audit_counterfactual,
    group_of,
)
from coldstart.evaluation.audits.report import AuditReport, histogram
from coldstart.evaluation.audits.run import AUDITS, Auditor, base_model, held_out, training_people
from coldstart.evaluation.audits.wordings import OWN, audit_wordings, rewordings, with_template
from coldstart.evaluation.figures import Memo, Ours
from coldstart.evaluation.harness import ColdCase, cold_users
from coldstart.interactions.interaction_stats import Counts
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime import models
from coldstart.schema import Candidate, DecodingConfig, Pick
from coldstart.settings import Settings
from coldstart.splitting.user_splits import Split
from tests.conftest import ARTIFACT
from tests.fakes import FakeEncoder
from tests.fakes_lm import tiny_cohere, tiny_gpt2, tiny_llama
from tests.toy import save_tiny_base, toy_catalog, toy_dataset, toy_split

QUICK = {"beam": DecodingConfig(max_new_tokens=6)}


def make(catalog=None, template="movies-en", **manifest):
    data = toy_dataset()
    return Recommender(
        toy_catalog() if catalog is None else catalog,
        tiny_llama(),
        prompts.load(template),
        Counts.fit(data.catalog.ids, data.users, data.likes),
        FakeEncoder(),
        BlendRanker.default(),
        Settings(written_titles=4),
        manifest=manifest,
    )


@pytest.fixture(scope="module")
def rec():
    return make()


@pytest.fixture(scope="module")
def cases():
    return cold_users(toy_dataset(), toy_split().test[:4], (0, 3))


# -- agreement -----------------------------------------------------------------------------------

lists = st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, max_size=16)


@given(lists, lists)
def test_equal_lists_agree_fully_and_disjoint_ones_not_at_all(a, b):
    assert compare(a, a) == {"overlap": 1.0, "rbo": pytest.approx(1.0), "shift": 0.0}
    apart = [x.upper() for x in b]
    assert rank_biased_overlap(a, apart) == (0.0 if a or b else 1.0)
    assert overlap(a, apart) == (0.0 if a or b else 1.0)
    assert 0 <= rank_biased_overlap(a, b) <= 1
    assert rank_biased_overlap(a, b) == pytest.approx(rank_biased_overlap(b, a))
    assert overlap(a, b) == overlap(b, a)
    assert 0 <= rank_shift(a, b) <= DEPTH


@given(lists.filter(bool), st.randoms(use_true_random=False), st.floats(0.1, 0.99))
def test_rank_biased_overlap_is_the_formula_with_sets(a, rng, p):
    b = rng.sample("abcdefghijklmnopqrst", k=len(a))
    agreement = [len(set(a[:d]) & set(b[:d])) / d for d in range(1, len(a) + 1)]
    tail = sum(x * p**d for d, x in enumerate(agreement, start=1))
    expected = agreement[-1] * p ** len(a) + (1 - p) / p * tail
    assert rank_biased_overlap(a, b, p) == pytest.approx(min(1, expected))


def test_measures_by_hand():
    a, b = list("abcd"), list("bacx")
    assert overlap(a, b, 2) == 1.0
    assert overlap(a, b, 4) == 0.75
    assert overlap(list("ab"), list("abcd"), 4) == 0.5
    # a and b move one place each, c none; d is not found and has rank 101.
    assert rank_shift(a, b) == (1 + 1 + 0 + 97) / 4
    assert rank_shift(a, b, k=1, depth=1) == 1
    # Agreement 0 at the first rank, 1 at the second: .5² · 1 + .5 / .5 · (0 + .25)
    assert rank_biased_overlap(list("ab"), list("ba"), 0.5) == pytest.approx(0.5)
    # The top counts most.
    swapped = [list("bacdef"), list("abcdfe")]
    assert rank_biased_overlap(list("abcdef"), swapped[0]) < rank_biased_overlap(
        list("abcdef"), swapped[1]
    )


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: overlap(["a"], ["a"], 0), "k is 0"),
        (lambda: overlap(["a", "a"], ["a"]), "names an item twice"),
        (lambda: rank_biased_overlap(["a"], ["b"], 1.0), "p is 1.0"),
        (lambda: rank_biased_overlap(["a"], ["b", "b"]), "names an item twice"),
        (lambda: rank_shift(["a"], ["a"], 10, 5), "depth is 5"),
        (lambda: mean_of({}), "no value"),
        (lambda: mean_of({"u": math.nan}), "not finite"),
    ],
)
def test_measures_refuse_nonsense(call, why):
    with pytest.raises((ConfigError, DataError), match=why):
        call()


# -- counterfactual ------------------------------------------------------------------------------

PEOPLE = {
    "a": UserProfile(age=21, gender="F", occupation="nurse"),
    "b": UserProfile(age=29, gender="M", occupation="student"),
    "c": UserProfile(age=64, gender="f", occupation="Nurse"),
}


class ByAttribute:
    """Ranks ten films for women, and the same the other way round for everyone else."""

    def __init__(self):
        self.asked = []

    def recommend(self, profile, *, k=10):
        self.asked.append(profile)
        ids = [f"i{n}" for n in range(10)]
        ids = ids if profile.gender in ("F", "f") else ids[::-1]

        class Answer:
            item_ids = ids[:k]

        return Answer()


def case(user, shots=0, targets=("i0",), **said):
    picks = tuple(Pick(item=f"x{n}") for n in range(shots))
    return ColdCase(user, shots, UserProfile(liked=picks, **said), frozenset(targets))


@given(
    st.integers(0, 99),
    st.builds(
        UserProfile,
        age=st.none() | st.integers(0, 99),
        gender=st.none() | st.sampled_from(["F", "M", "f", "x"]),
        occupation=st.none() | st.sampled_from(["nurse", "student", "poet"]),
    ),
    st.sampled_from(ATTRIBUTES),
)
def test_a_flip_changes_one_attribute_to_another_group_and_nothing_else(seed, profile, name):
    flips = Flips(PEOPLE, seed)
    flipped = flips.flip("u", profile, name)
    if getattr(profile, name) is None:
        assert flipped is None
        return
    assert flipped == profile.model_copy(update={name: getattr(flipped, name)})
    assert group_of(flipped, name) != group_of(profile, name)
    assert getattr(flipped, name) in {getattr(p, name) for p in PEOPLE.values()}
    assert flips.flip("u", profile, name) == flipped


def test_ages_of_one_decade_are_one_group():
    assert group_of(PEOPLE["a"], "age") == group_of(PEOPLE["b"], "age") == "20s"
    assert Flips(PEOPLE).flip("u", UserProfile(age=25), "age").age == 64


def test_values_are_drawn_as_often_as_people_have_them():
    people = {f"m{n}": UserProfile(occupation="poet" if n < 9 else "nurse") for n in range(10)}
    drawn = [
        Flips(people).flip(f"u{n}", UserProfile(occupation="clerk"), "occupation").occupation
        for n in range(200)
    ]
    assert 0.8 < drawn.count("poet") / 200 < 0.97


def test_a_system_that_looks_at_gender_only_moves_with_gender_only():
    users = [
        case(f"u{n}", gender="F" if n % 2 else "M", age=25, occupation="poet") for n in range(12)
    ]
    people = PEOPLE | {"d": UserProfile(age=40, gender="M", occupation="poet")}
    seen = []
    result = audit_counterfactual(
        {"x": ByAttribute()}, users, people, report=lambda *at: seen.append(at)
    )
    row = {r.changed: r for r in result.rows}
    assert list(row) == ["gender", "gender: f → m", "gender: m → f", "age", "occupation", ANOTHER]
    assert seen[-1] == (12, 12)
    assert row["age"].rbo.value == row["occupation"].rbo.value == 1.0
    assert row["age"].gain.mean == 0
    assert row["gender"].overlap.value == 1.0  # the same ten, the other way round
    assert row["gender"].shift.value == np.mean([abs(2 * n - 9) for n in range(10)])
    assert row["gender"].rbo.value < 0.9
    # i0 is what all of them want: first for women, last for the others.
    last = ndcg(["x"] * 9 + ["i0"], {"i0"}, 10)
    assert row["gender: f → m"].gain.mean == pytest.approx(last - 1)
    assert row["gender: m → f"].gain.mean == pytest.approx(1 - last)
    assert row["gender: m → f"].overlap.n == 6
    assert row[ANOTHER].gain is None
    assert not result.left_out


def test_what_nobody_says_is_left_out_and_said_so():
    people = {"a": UserProfile(age=20, gender="F"), "b": UserProfile(age=50, gender="f")}
    users = [case("u", gender="F", age=25), case("v", gender="F")]
    result = audit_counterfactual({"x": ByAttribute()}, users, people)
    assert {r.changed for r in result.rows} == {"age", ANOTHER}
    assert result.left_out == (
        "gender is not changed: all say the same",
        "age is not changed for 1 of 2 users: not said",
        "occupation is not changed: no training user says it",
    )
    with pytest.raises(DataError, match="no held-out user"):
        audit_counterfactual({"x": ByAttribute()}, [], people)


def test_counterfactuals_of_a_real_recommender(rec, cases):
    systems = {"prior": Ours(Memo(rec), "prior")}
    result = audit_counterfactual(systems, cases, training_people(toy_dataset(), toy_split()))
    row = {(r.changed, r.shots): r for r in result.rows}
    assert row["occupation", 0].shift.value > 0
    assert {k for _, k in row} == {0, 3}


# -- wordings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", prompts.available())
def test_rewordings_say_the_same_in_other_words(name):
    own = prompts.load(name)
    variants, left_out = rewordings(own)
    assert len(variants) == (5 if own.language == "en" else 1)  # Chinese has no capitals
    assert bool(left_out) == (own.language != "en")
    assert len({v.sha256 for v in (own, *variants)}) == 1 + len(variants)
    profile = UserProfile(
        age=29,
        gender="F",
        occupation="librarian",
        location="Utrecht",
        language="Dutch",
        interests=("Horror",),
        about="slow stories",
        attributes={"pet": "cat"},
        liked=("Alien", "Heat"),
        disliked=("Fargo",),
    )
    for variant in variants:
        assert variant.lint() == []
        text = variant.render(profile).text
        for said in ("29", "librarian", "Utrecht", "Dutch", "Horror", "slow stories", "cat"):
            assert said in text
        assert "Fargo" in text
        assert text.endswith("\nAlien\nHeat\n")
        assert "THINGS" not in text


def test_letters_around_the_values_change_and_nothing_else():
    own = replace(
        prompts.load("movies-en"), source="{{ {'a: b': 'c'}['a: b'] }} Says: {{ about }}\n"
    )
    capitals, dashes = rewordings(own)[0][:2]
    assert capitals.source == "{{ {'a: b': 'c'}['a: b'] }} SAYS: {{ about }}\n"
    assert dashes.render(UserProfile(about="x: y")).text == "c Says - x: y\n"


def test_what_a_template_does_not_say_its_rewordings_do_not_say_either():
    source = "{{ age }}\n{% for title in liked %}\n{{ title }}\n{% endfor %}\n"
    own = replace(prompts.load("movies-en"), source=source, variables=frozenset({"age", "liked"}))
    profile = UserProfile(age=29, gender="F", interests=("Horror",), attributes={"pet": "cat"})
    for variant in rewordings(own)[0]:
        assert not variant.lint()
        text = variant.render(profile).text
        assert "29" in text
        assert not any(x in text for x in ("Horror", "cat", "woman", "female", "Gender"))


def test_another_wording_is_another_prompt_and_the_recommender_keeps_its_own(rec, cases):
    before = rec.template.sha256
    result = audit_wordings(rec, cases)
    assert rec.template.sha256 == before
    names = [OWN, "capitals", "dashes", "labels", "sentence", "task"]
    assert list(result.prompts) == names
    assert len(set(result.prompts.values())) == len(names)
    alone = [r for r in result.rows if r.system == wordings.ALONE]
    assert [(r.wording, r.shots) for r in alone] == [(n, k) for k in (0, 3) for n in names]
    for row in result.rows:
        if row.wording == OWN:
            assert (row.rbo.value, row.shift.value, row.gain) == (pytest.approx(1), 0, None)
    # A random model follows the words.
    assert all(r.rbo.value < 1 for r in alone if r.wording != OWN)
    own = next(r for r in alone if r.wording == OWN)
    task = next(r for r in alone if r.wording == "task")
    assert task.gain.mean == pytest.approx(task.ndcg.value - own.ndcg.value)


def test_wordings_of_ones_own_must_say_the_same(rec, cases):
    given = replace(rec.template, name="mine", source=rec.template.source.replace("e", "e"))
    result = audit_wordings(rec, cases[:2], more=[given])
    mine = [r for r in result.rows if r.wording == "mine"]
    assert mine
    assert all(r.rbo.value == pytest.approx(1) for r in mine)
    with pytest.raises(ConfigError, match="two wordings are named 'labels'"):
        audit_wordings(rec, cases, more=[replace(given, name="labels")])
    fewer = replace(given, variables=given.variables - {"gender"})
    with pytest.raises(ConfigError, match="differ in gender"):
        audit_wordings(rec, cases, more=[fewer])
    with pytest.raises(DataError, match="no held-out user"):
        audit_wordings(rec, [])


def test_an_artifact_still_refuses_another_template(tmp_path):
    base = {"name": "tiny", "fingerprint": "x"}
    made = make(name="toy", base=base, encoder={"name": "fake"})
    made._adapter = {"adapter/x": b""}
    with_template(made, rewordings(made.template)[0][0])
    made.save_pretrained(tmp_path / "a")
    template = tmp_path / "a" / "prompt" / "template.j2"
    template.write_text(template.read_text() + " ")
    with pytest.raises(ArtifactError, match=r"template\.j2 is damaged"):
        Recommender.from_pretrained(tmp_path / "a")


# -- memory --------------------------------------------------------------------------------------


def test_cues_are_cut_from_titles():
    items = [
        Item(item_id="1", title="Heat", year=1995),
        Item(item_id="2", title="The Usual Suspects"),
        Item(item_id="3", title="Toy Story", year=1995),
    ]
    assert half_titles(items) == [
        Cue("2", "Title: The Usual", " Suspects"),
        Cue("3", "Title: Toy", " Story"),
    ]
    assert whole_titles(items, "film") == [
        Cue("1", "A film from 1995:", " Heat"),
        Cue("3", "A film from 1995:", " Toy Story"),
    ]
    assert rows(items, before=2) == [
        Cue("3", "1|Heat (1995)\n2|The Usual Suspects\n3|", "Toy Story")
    ]


@pytest.mark.parametrize("lm", [tiny_llama, tiny_gpt2, tiny_cohere])
def test_recall_is_what_one_finds_token_by_token(lm):
    lm = lm()
    cues = half_titles(list(toy_catalog())) + rows(list(toy_catalog()))
    for cue, found in zip(cues, recall(lm, cues, batch=5), strict=True):
        ids = lm.lines.encode(cue.context + cue.rest)
        start = next(n for n in range(len(ids), 0, -1) if cue.context.startswith(
            lm.lines.decode(ids[:n])))  # fmt: skip
        total, greedy = 0.0, True
        for at in range(start, len(ids)):
            with torch.inference_mode():
                logits = lm.model(torch.tensor([ids[:at]])).logits[0, -1].float()
            total += float(logits.log_softmax(0)[ids[at]])
            greedy &= int(logits.argmax()) == ids[at]
            if at == start:
                assert found.rank == 1 + int((logits > logits[ids[at]]).sum())
        assert found.item_id == cue.item_id
        assert found.greedy == greedy
        assert found.logprob == pytest.approx(total / (len(ids) - start), abs=1e-3)


def test_what_a_model_writes_greedily_is_completed():
    lm, tried = tiny_llama(), 0
    for item in toy_catalog():
        context = f"Title: {item.title}"
        ids = lm.lines.encode(context)
        with torch.inference_mode():
            order = lm.model(torch.tensor([ids])).logits[0, -1].argsort(descending=True)
        best, other = (lm.lines.decode([int(order[n])]) for n in (0, 40))
        if lm.lines.encode(context + best) != [*ids, int(order[0])]:
            continue  # the tokenizer writes this text another way
        tried += 1
        assert recall(lm, [Cue("1", context, best)])[0].greedy
        assert not other or not recall(lm, [Cue("1", context, other)])[0].greedy
    assert tried > 5


def test_recall_refuses_nonsense():
    lm = tiny_llama()
    with pytest.raises(ConfigError, match="batch is 0"):
        recall(lm, [], batch=0)
    with pytest.raises(DataError, match="'1': a cue of 3 tokens, 3 of them given"):
        recall(lm, [Cue("1", "\n\n\n", "")])
    with pytest.raises(DataError, match="at most 1024 in all"):
        recall(lm, [Cue("1", "a", " b" * 2000)])
    assert recall(lm, []) == []


def test_memory_by_popularity_and_year(rec):
    told = []
    found = memory.audit_memory(rec, tiny_gpt2(), report=lambda *x: told.append(x))
    items = len(rec.catalog)
    assert (found.items, found.years) == (items, items)
    parts = {(c.probe, c.third): c.greedy.n for c in found.completed}
    assert parts["the year", "all"] == items
    assert parts["the rows before", "all"] == items - 2
    for probe in ("half a title", "the year", "the rows before"):
        assert parts[probe, "all"] == sum(parts.get((probe, t), 0) for t in memory.THIRDS)
    whole = next(d for d in found.dated if d.third == "all")
    assert whole.gain.n == items
    assert 1 <= whole.median_rank <= items
    assert {what for what, _, _ in told} == {
        f"memory, {x}" for x in ("half a title", "the year", "the rows before", "years")
    }


def test_the_gain_of_a_year_is_that_of_a_model_that_knows_it():
    items = [Item(item_id=f"x{n}", title=f"T{n}", year=1990 + n) for n in range(6)]
    known = np.where(np.eye(6, dtype=bool), np.log(0.5), np.log(0.1))
    (row,) = memory._dated(items, range(1990, 1996), known, {"all": {i.item_id for i in items}}, 0)
    assert row.median_rank == 1
    assert row.gain.value == pytest.approx(np.log(0.5) - np.log((0.5 + 5 * 0.1) / 6))
    assert row.shuffled.value < row.gain.value
    blind = np.log(np.full((6, 6), 1 / 6))
    (row,) = memory._dated(items, range(1990, 1996), blind, {"all": {i.item_id for i in items}}, 0)
    assert row.gain.value == pytest.approx(0)


def test_a_catalog_without_years_or_long_titles_is_told_so():
    catalog = Catalog.from_items(
        Item(item_id=i.item_id, title="Xq9 " * 500 if i.item_id == "i5" else i.title)
        for i in toy_catalog()
    )
    found = memory.audit_memory(make(catalog), tiny_llama())
    assert not found.dated
    assert {c.probe for c in found.completed} == {"half a title", "the rows before"}
    text = " ".join(found.left_out)
    assert "nothing is asked with the year" in text
    assert "fewer than two years" in text
    assert "1 of 15 titles are not asked with half a title" in text


# -- ledger --------------------------------------------------------------------------------------


class Scripted:
    """A reader that writes the same titles for everyone."""

    def __init__(self, *texts):
        self.texts = texts

    def write(self, prompt, n, config, seed):
        return [Candidate(text=t, logprob=-1.0, strategy="free") for t in self.texts[:n]]


def test_the_ledger_adds_up(cases, monkeypatch):
    rec = make()
    written = ("Toy Story", "Toy Stories", "qqqq", "fargo!")
    monkeypatch.setattr(
        type(rec), "reader", property(lambda self: Scripted(*written)), raising=True
    )
    monkeypatch.setattr(rec, "prompt", lambda user: type("P", (), {"text": "x\n"}))
    told = []
    found = ledger.audit_ledger(rec, cases, modes=QUICK, report=lambda *x: told.append(x))
    entry = found.entries[0]
    users = sum(c.shots == 0 for c in cases)
    assert (entry.titles, entry.distinct) == (4 * users, 4)
    assert entry.exact.value == 0.5
    assert entry.similarity.value + entry.abstained.value == 0.5
    assert entry.picked.value == 0
    toy, fargo = (
        next(i.item_id for i in rec.catalog if i.title == t) for t in ("Toy Story", "Fargo")
    )
    three = [{p.item for p in c.profile.liked} for c in cases if c.shots == 3]
    expected = np.mean([((toy in p) + (fargo in p)) / 4 for p in three])
    assert found.entries[1].picked.value == pytest.approx(expected)
    assert sum(found.histogram["beam"]) == 2 * len(cases)
    assert [(x.text, x.times) for x in found.invented["beam"]] == [
        ("Toy Stories", len(cases)),
        ("qqqq", len(cases)),
    ]
    stories, noise = found.invented["beam"]
    assert stories.nearest.startswith("Toy Story")
    assert noise.outcome == "abstained"
    assert noise.similarity < found.threshold
    assert (stories.outcome == "similarity") == (stories.similarity >= found.threshold)
    assert told[-1] == (len(cases), len(cases))


def test_the_ledger_of_a_random_model_and_bad_input(rec, cases):
    found = ledger.audit_ledger(rec, cases[:2], modes=QUICK)
    for e in found.entries:
        assert e.exact.value + e.similarity.value + e.abstained.value == pytest.approx(1)
    with pytest.raises(ConfigError, match="no way of writing"):
        ledger.audit_ledger(rec, cases, modes={})
    with pytest.raises(DataError, match="no held-out user"):
        ledger.audit_ledger(rec, [])


@given(st.lists(st.tuples(st.floats(-1, 1), st.integers(1, 9))))
def test_every_similarity_has_a_tenth(values):
    assert sum(ledger.tenths(values)) == sum(n for _, n in values)


def test_tenths_and_bars_by_hand():
    found = ledger.tenths([(-0.5, 1), (0.0, 1), (0.7, 2), (0.6999999, 4), (0.699, 8), (1.0, 16)])
    assert found == (2, 0, 0, 0, 0, 0, 8, 6, 0, 16)
    assert histogram([200, 1, 0, 100]) == ["█" * 40, "█", "", "█" * 20]
    assert histogram([]) == []


# -- whole ---------------------------------------------------------------------------------------


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
    quick = {n: replace(c, max_new_tokens=5) for n, c in ledger.MODES.items()}
    monkeypatch.setattr(ledger.audit_ledger, "__kwdefaults__",
                        ledger.audit_ledger.__kwdefaults__ | {"modes": quick})  # fmt: skip

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
    auditor = Auditor(shipped, [c for c in chosen if c.shots == 3], people)
    who = auditor.run("counterfactual")
    assert {*ATTRIBUTES, ANOTHER} <= {r.changed for r in who.rows}
    row = {(r.system, r.changed): r for r in who.rows}
    for name in ATTRIBUTES:
        assert row[wordings.FULL, ANOTHER].rbo.value < row[wordings.FULL, name].rbo.value < 1
    found = ledger.audit_ledger(
        shipped, [c for c in chosen if c.shots == 0], modes={"beam": DecodingConfig()}
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
