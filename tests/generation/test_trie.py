from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.errors import ArtifactError, CatalogError
from coldstart.generation.trie.ragged import SAME, RaggedArray
from coldstart.generation.trie.trie import Mass, TitleTrie, TriePlan
from tests.fakes_lm import trie_of

END = 0  # like a line break: at the end of every title and nowhere else
TOKENS = st.lists(st.integers(1, 4), max_size=5).map(lambda ids: (*ids, END))
IDS = st.text("abc", min_size=1, max_size=3)
CATALOG = st.dictionaries(IDS, TOKENS, max_size=14)
SOME = st.dictionaries(IDS, TOKENS, min_size=1, max_size=14)


def masses(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 10, n)


def walk(trie: TitleTrie, prefix: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """All titles the trie accepts."""
    below = trie.children(prefix)
    if not below:
        return [prefix] if prefix else []
    return [title for token in below for title in walk(trie, (*prefix, token))]


def assert_same_plan(one: TriePlan, other: TriePlan) -> None:
    assert list(one.item_ids) == list(other.item_ids)
    for field in dataclasses.fields(TriePlan)[1:]:
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@given(CATALOG)
def test_accepts_exactly_the_catalog(titles):
    assert walk(TitleTrie(titles)) == sorted(set(titles.values()))


@given(CATALOG, TOKENS)
def test_children_count_the_items_below(titles, probe):
    trie = TitleTrie(titles)
    for depth in range(len(probe)):
        prefix = probe[:depth]
        lo, hi = trie.range(prefix)
        inside = {i for i, tokens in titles.items() if tokens[:depth] == prefix}
        assert set(trie.item_ids[lo:hi]) == inside
        assert sum(trie.children(prefix).values()) == len(inside)


CHANGES = st.lists(st.tuples(SOME, st.sets(IDS)), max_size=4)


@given(SOME, CHANGES, TOKENS, st.data())
def test_after_changes_all_is_as_in_a_new_trie(titles, changes, probe, data):
    trie, expected = TitleTrie(titles), dict(titles)
    for changed, removed in changes:
        trie.set(changed)
        trie.remove(removed)
        expected = {i: t for i, t in (expected | changed).items() if i not in removed}
    new = TitleTrie(expected)
    assert list(trie.item_ids) == list(new.item_ids)
    assert [trie.item_ids[n] for n in range(len(trie))] == list(new.item_ids)
    everyone = np.arange(len(new))
    assert [trie.tokens(n) for n in everyone] == [new.tokens(n) for n in everyone]
    for depth in range(len(probe) + 1):
        assert trie.children(probe[:depth]) == new.children(probe[:depth])
        (lo, hi), found = new.range(probe[:depth]), trie.range(probe[:depth])
        assert found == (lo, hi) or lo == hi and found[0] == found[1]
    some = np.array(
        data.draw(st.lists(st.sampled_from(everyone)) if expected else st.just([])), int
    )
    assert_same_plan(trie.towards(some), new.towards(some))
    lo = np.arange(len(new))
    assert trie.is_title(lo, np.full(len(lo), len(lo))).tolist() == [
        new.tokens(n) == new.tokens(len(lo) - 1) for n in lo
    ]


@given(CATALOG, CATALOG)
def test_adding_then_removing_is_a_no_op(titles, others):
    trie = TitleTrie(titles)
    new = {i: t for i, t in others.items() if i not in titles}
    trie.set(new.items())
    assert len(trie) == len(titles) + len(new)
    trie.remove([*new, "unknown"])
    assert len(trie) == len(titles)
    assert_same_plan(trie.plan(), TitleTrie(titles).plan())


@given(CATALOG, CATALOG, st.sets(IDS))
def test_changes_equal_a_new_trie(titles, changed, removed):
    trie = TitleTrie(titles)
    trie.plan()  # must not be served again
    trie.set(changed.items())
    trie.remove(removed)
    expected = {i: t for i, t in (titles | changed).items() if i not in removed}
    assert_same_plan(trie.plan(), TitleTrie(expected).plan())
    assert {i for i in expected if i in trie} == set(expected)


@given(SOME, st.integers(0, 99))
def test_the_prior_alone_gives_the_prior(titles, seed):
    plan = TitleTrie(titles).plan()
    mass = masses(len(titles), seed)
    logprobs = plan.item_logprobs(plan.edge_prior(mass), mass)
    np.testing.assert_allclose(np.exp(logprobs), mass / mass.sum(), rtol=1e-9)


@given(SOME, st.integers(0, 99))
def test_probabilities_sum_to_one_whatever_the_logits(titles, seed):
    plan = TitleTrie(titles).plan()
    logits = np.random.default_rng(seed).normal(0, 20, len(plan.edge_token))
    logprobs = plan.item_logprobs(logits, masses(len(titles), seed))
    assert np.exp(logprobs).sum() == pytest.approx(1)


@given(SOME, st.data())
def test_towards_some_items_their_logprobs_stay(titles, data):
    trie = TitleTrie(titles)
    plan, n, seed = trie.plan(), len(titles), data.draw(st.integers(0, 99))
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    some, mass = trie.towards(np.flatnonzero(wanted)), masses(n, seed)
    of_token = np.random.default_rng(seed).normal(0, 5, 9)  # any logits, as of a model
    whole = plan.item_logprobs(of_token[plan.edge_token], mass)
    part = some.item_logprobs(of_token[some.edge_token], mass)
    np.testing.assert_allclose(part[wanted], whole[wanted], atol=1e-9)
    assert np.exp(part).sum() == pytest.approx(1)
    assert len(some.tree_token) <= len(plan.tree_token)
    if not wanted.any():
        np.testing.assert_allclose(np.exp(part), mass / mass.sum())
        assert not len(some.tree_token)


@given(SOME, st.data())
def test_chosen_items_have_the_logprobs_they_have_among_all(titles, data):
    trie, n = TitleTrie(titles), len(titles)
    items = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), dtype=int)
    plan, mass = trie.towards(items), Mass(masses(n))
    logits = np.random.default_rng(n).normal(0, 5, len(plan.edge_token))
    found = plan.item_logprobs(logits, mass, items)
    np.testing.assert_allclose(found, plan.item_logprobs(logits, mass.values)[items], atol=1e-9)


@given(SOME, st.data())
def test_towards_some_items_reads_what_their_decisions_follow(titles, data):
    plan = TitleTrie(titles).plan()
    n = len(titles)
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    some = TitleTrie(titles).towards(np.flatnonzero(wanted))
    contexts: list[tuple[int, ...]] = []
    for token, parent in zip(some.tree_token.tolist(), some.tree_parent.tolist(), strict=True):
        contexts.append((*(contexts[parent] if parent >= 0 else ()), token))
    of = [contexts[p] if p >= 0 else () for p in some.edge_position]
    expected = set()  # the decisions on the ways of the wanted titles, found one by one
    trie = TitleTrie(titles)
    for item in np.array(plan.item_ids, dtype=object)[wanted]:
        ways = (titles[item][:d] for d in range(len(titles[item])))
        expected |= {way for way in ways if len(trie.children(way)) > 1}
    assert set(of) == expected
    for context in set(of):
        mine = [t for t, c in zip(some.edge_token.tolist(), of, strict=True) if c == context]
        assert mine == list(trie.children(context))
    needed = {way[:d] for way in expected for d in range(1, len(way) + 1)}
    assert set(contexts) == needed  # and no more


@given(SOME)
def test_every_decision_has_a_choice_and_its_context(titles):
    trie = TitleTrie(titles)
    plan = trie.plan()
    contexts: list[tuple[int, ...]] = []
    for token, parent in zip(plan.tree_token.tolist(), plan.tree_parent.tolist(), strict=True):
        contexts.append((*(contexts[parent] if parent >= 0 else ()), token))
    assert plan.tree_depth.tolist() == [len(c) - 1 for c in contexts]
    for decision, start in enumerate(plan.starts):
        edges = np.flatnonzero(plan.decision_of_edge == decision)
        position = plan.edge_position[start]
        context = contexts[position] if position >= 0 else ()
        children = trie.children(context)
        assert len(children) > 1
        assert plan.edge_token[edges].tolist() == list(children)
        assert (plan.edge_hi - plan.edge_lo)[edges].tolist() == list(children.values())


def test_namesakes_share_their_title_by_mass():
    trie = trie_of({"a": "Heat", "b": "Alien", "c": "Heat"})
    plan = trie.plan()
    mass = np.array([{"a": 1.0, "b": 5.0, "c": 3.0}[i] for i in plan.item_ids])
    logits = np.log([0.8, 0.2]) if trie.item_ids[0] == "b" else np.log([0.2, 0.8])
    found = dict(zip(plan.item_ids, np.exp(plan.item_logprobs(logits, mass)), strict=True))
    assert found == pytest.approx({"a": 0.05, "b": 0.8, "c": 0.15})


def test_a_title_may_begin_another():
    trie = trie_of(["Toy", "Toy Story", "Toy Story 2"])
    assert len(walk(trie)) == 3
    plan = trie.plan()
    mass = masses(3)
    np.testing.assert_allclose(
        np.exp(plan.item_logprobs(plan.edge_prior(mass), mass)), mass / mass.sum()
    )


def test_ghost_tokens_cost_nothing():
    plan = TitleTrie({"short": (1, END), "long": (2, 3, 3, 3, 3, 3, END)}).plan()
    assert len(plan.tree_token) == 0
    assert len(plan.edge_token) == 2


def test_an_empty_trie():
    trie = TitleTrie()
    assert trie.children(()) == {}
    assert tuple(trie.plan().item_ids) == ()
    assert trie.plan().item_logprobs(np.zeros(0), np.zeros(0)).shape == (0,)


@pytest.mark.parametrize("size", [3, 1000])
def test_many_changes_are_sorted_into_a_new_base(size):
    titles = {f"i{n}": (n // 7 + 1, n % 7 + 1, END) for n in range(2, size)}
    trie = TitleTrie(titles)
    base = trie._trie.base
    trie.set({"one": (END,)})
    assert trie._trie.base is base  # not for one title
    for n in range(300):
        trie.set({f"new{n}": (n + 1, 8, END)})
        trie.remove([f"i{2 * n}"])
        gone = {f"i{2 * m}" for m in range(n + 1)}
        assert trie._trie.changes <= 64 + len(trie) // 8
    assert trie._trie.base is not base
    expected = {i: t for i, t in titles.items() if i not in gone} | {"one": (END,)}
    expected |= {f"new{n}": (n + 1, 8, END) for n in range(300)}
    assert_same_plan(trie.plan(), TitleTrie(expected).plan())
    many = {f"more{n}": (n + 1, 9, END) for n in range(2000)} | {"one": (9, 9, END)}
    trie.set(many)
    assert trie._trie.changes == 0
    assert_same_plan(trie.plan(), TitleTrie(expected | many).plan())


@given(st.lists(st.lists(st.integers(0, 2**31 - 1) | st.integers(0, 2), max_size=5)))
def test_sequences_are_sorted_as_tuples_are(sequences):
    found = RaggedArray.of(sequences)
    order = found.order().tolist()
    assert order == sorted(range(len(sequences)), key=lambda n: (sequences[n], n))
    ordered = found.take(np.array(order, dtype=int))
    shared = ordered.shared().tolist()
    pairs = list(zip(ordered, [None, *ordered], strict=False))
    for (one, before), length in zip(pairs, shared, strict=True):
        if before is None:
            assert length == -1
        elif one.tolist() == before.tolist():
            assert length == SAME
        else:
            assert one[:length].tolist() == before[:length].tolist()
            assert one[: length + 1].tolist() != before[: length + 1].tolist()


@pytest.mark.parametrize(
    ("titles", "message"),
    [
        ([("a", (1, END)), ("a", (2, END))], "'a' comes twice"),
        ([("a", (1,)), ("b", (1, 2))], r"tokens \[1\] begins another"),
        ([("a", ()), ("b", (1, 2))], r"tokens \[\] begins another"),
        ([("a", (-1, END))], "token of a title is -1"),
        ([("a", (2**31, END))], "beyond 2³¹"),
    ],
)
def test_titles_that_make_no_trie_are_refused(titles, message):
    with pytest.raises(CatalogError, match=message):
        TitleTrie(titles)
    few, many = TitleTrie({"z": (5, END)}), TitleTrie({"z": (5, END)})
    filler = [(f"f{n}", (9, n, END)) for n in range(100)]
    if titles[0][0] != titles[-1][0] or len(titles) == 1:  # of two in one change, the last counts
        for trie, more in ((few, []), (many, filler)):
            plan = trie.plan()
            with pytest.raises(CatalogError, match=message):
                trie.set([*more, *titles])
            assert trie.plan() is plan


def test_a_title_that_begins_one_in_the_base_is_refused_unless_that_is_gone():
    trie = TitleTrie({"a": (1, 2, END), "b": (3, END)})
    for bad in ((1, 2), (3, END, 4)):
        with pytest.raises(CatalogError, match="begins another title"):
            trie.set({"c": bad})
    assert "c" not in trie
    trie.set({"a": (1, 2)})  # instead of what it would begin
    assert trie.children((1,)) == {2: 1}


@given(titles=st.dictionaries(st.text(max_size=3), TOKENS, max_size=9), changed=CATALOG)
@settings(max_examples=30)
def test_a_saved_trie_is_the_same_mapped_and_can_be_changed(tmp_path_factory, titles, changed):
    folder = tmp_path_factory.mktemp("trie") / "one"
    trie = TitleTrie(titles)
    trie.set(changed)
    trie.save(folder)
    again = TitleTrie.load(folder)
    assert_same_plan(again.plan(), trie.plan())
    again.remove(titles)
    again.set(titles)
    assert_same_plan(again.plan(), TitleTrie(changed | titles).plan())
    again.save(folder)  # over the files that are mapped
    assert_same_plan(TitleTrie.load(folder).plan(), again.plan())


def _cut_off(folder):
    with (folder / "tokens.npy").open("r+b") as file:
        file.truncate(130)


def _flip(folder):
    data = bytearray((folder / "edge_target.npy").read_bytes())
    data[-1] ^= 1
    (folder / "edge_target.npy").write_bytes(data)


def _other_format(folder):
    about = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps(about | {"format": 99}))


def _without_sums(folder):
    about = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps(about | {"crc32": {}}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_cut_off, "no trie can be read"),
        (_flip, "edge_target.npy is not what was written"),
        (_other_format, "has format 99, expected 1"),
        (_without_sums, "no trie can be read"),
        (lambda folder: (folder / "about.json").write_text("[1"), "no trie can be read"),
        (lambda folder: (folder / "about.json").write_text("[1]"), "no trie can be read"),
        (lambda folder: (folder / "about.json").unlink(), "no trie can be read"),
        (lambda folder: (folder / "ids.npy").unlink(), "no trie can be read"),
        (lambda folder: (folder / "ids.npy").write_bytes(b""), "no trie can be read"),
        (lambda folder: (folder / "ids.npy").write_text("shoe"), "no trie can be read"),
    ],
)
def test_a_damaged_folder_is_an_artifact_error(tmp_path, damage, message):
    trie_of(["Heat", "Alien", "Aliens"]).save(tmp_path / "trie")
    damage(tmp_path / "trie")
    with pytest.raises(ArtifactError, match=message):
        TitleTrie.load(tmp_path / "trie")


def test_giving_an_item_the_same_title_keeps_the_plan():
    trie = trie_of(["Heat", "Alien"])
    plan = trie.plan()
    trie.set([("i0", trie_of(["Heat"]).tokens(0))])
    assert trie.plan() is plan
