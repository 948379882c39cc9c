"""The tree correction: LightGBM's own trees, read into arrays, told apart by feature."""

from __future__ import annotations

import json

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.errors import ArtifactError
from coldstart.ranking.ranker import BlendRanker, states_taste
from coldstart.ranking.tree_masks import Node, TreeMasks
from coldstart.ranking.trees import POOL, TreeCorrection
from coldstart.scoring.registry import SIGNALS
from coldstart.training.boosting import RankingGroup, fit_trees


def requests(n=60, items=80, seed=0):
    """People who like items whose ``lift`` and ``kinds`` are both high; popularity says nothing."""
    rng = np.random.default_rng(seed)
    out = []
    for user in range(n):
        features = np.zeros((items, len(SIGNALS)), np.float32)
        for name in ("popularity", "lift", "kinds"):
            features[:, SIGNALS.index(name)] = rng.normal(size=items)
        both = np.minimum(features[:, SIGNALS.index("lift")], features[:, SIGNALS.index("kinds")])
        liked = both + 0.1 * rng.normal(size=items) > 0.5
        linear = features[:, SIGNALS.index("popularity")].astype(float)
        out.append(RankingGroup(f"u{user}", features, liked, linear))
    return out


@pytest.fixture(scope="module")
def trees():
    return fit_trees(requests(), rounds=150)


def precision(score, liked):
    return liked[np.argsort(-score)[:10]].mean()


def test_favourites_have_their_own_trees_if_there_are_any(trees):
    other = TreeCorrection(SIGNALS.tree_names, (Node(0.0),))
    weights = {"prior": {"popularity": (1.0, 0.0)}}
    r = requests(1)[0]
    shots, history = SIGNALS.index("shots"), SIGNALS.index("history")
    unit = np.array([float(f == "popularity") for f in SIGNALS.names])
    plain = r.features @ unit

    def moved(ranker, picks, is_history):
        r.features[:, shots], r.features[:, history] = picks, is_history
        parts = ranker.contributions(r.features, unit, range(len(r.features)))
        scores = ranker.scores(r.features, unit)
        np.testing.assert_allclose(parts.sum(axis=1), scores, atol=1e-6)
        return not np.allclose(scores, plain)

    both = BlendRanker.from_dict(BlendRanker(weights, trees, other).to_dict())
    assert moved(both, 3, True)
    assert not moved(both, 3, False)  # favourites, of which the other trees say nothing
    old = BlendRanker.from_dict({k: v for k, v in both.to_dict().items() if k != "favourites"})
    assert old.favourites is None
    assert moved(old, 3, False)


def test_trees_learn_what_a_linear_score_misses(trees):
    found, linear = [], []
    for r in requests(30, seed=1):
        correction = trees.correct(r.features, SIGNALS.names, r.linear)
        found.append(precision(r.linear + correction, r.liked))
        linear.append(precision(r.linear, r.liked))
    assert np.mean(found) > np.mean(linear) + 0.3


def test_arrays_give_what_lightgbm_gives():
    data, use = requests(20), [SIGNALS.index(n) for n in SIGNALS.tree_names]
    booster = lightgbm.train(
        {"objective": "lambdarank", "verbosity": -1, "num_threads": 1, "num_leaves": 15},
        lightgbm.Dataset(
            np.concatenate([r.features[:, use] for r in data]),
            np.concatenate([r.liked for r in data]).astype(int),
            group=[len(r.liked) for r in data],
        ),
        30,
    )
    from coldstart.training.boosting import _node

    roots = [_node(t["tree_structure"]) for t in booster.dump_model()["tree_info"]]
    fresh = requests(1, seed=5)[0]
    ours = TreeCorrection(SIGNALS.tree_names, roots).correct(
        fresh.features, SIGNALS.names, fresh.linear
    )
    theirs = booster.predict(fresh.features[:, use], num_threads=1)
    np.testing.assert_allclose(ours + sum(r.value for r in roots), theirs, atol=1e-9)


def nodes(leaves):
    """Trees of at most ``leaves`` leaves over three features, with equal thresholds among them."""
    values = st.floats(-2, 2, width=32)
    grown = st.recursive(
        st.builds(Node, values),
        lambda below: st.builds(Node, values, st.integers(0, 2), st.integers(-1, 1), below, below),
        max_leaves=leaves,
    )
    return st.lists(grown, max_size=5)


def walk_down(node, row):
    """Output of one tree for one item, split by split."""
    while node.left is not None and node.right is not None:
        node = node.left if row[node.feature] <= node.threshold else node.right
    return node.value


@pytest.mark.parametrize("leaves", [7, 40])
@given(data=st.data())
def test_masks_find_the_leaf_that_a_walk_finds(leaves, data):
    trees = data.draw(nodes(leaves))
    whole = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 1.0, 1.5, float("inf"), float("nan")])
    rows = np.array(data.draw(st.lists(st.tuples(whole, whole, whole), min_size=1, max_size=6)))
    masks = TreeMasks(trees, 3)
    columns = list(rows.astype(np.float32).T)
    expected = [sum(walk_down(t, row) - t.value for t in trees) for row in rows]
    np.testing.assert_allclose(masks.sums(columns), expected, atol=1e-9)
    np.testing.assert_allclose(masks.parts(columns).sum(axis=1), expected, atol=1e-9)


def test_trees_of_too_many_leaves_are_refused():
    node = Node(0.0)
    for n in range(64):
        node = Node(0.0, 0, float(n), Node(1.0), node)
    assert node.left is not None
    with pytest.raises(ArtifactError, match="65 leaves, at most 64"):
        TreeMasks([node], 1)


def test_parts_sum_to_the_correction_and_name_only_features_that_matter(trees):
    r = requests(1, seed=3)[0]
    parts = trees.explain(r.features, SIGNALS.names)
    np.testing.assert_allclose(
        parts.sum(axis=1), trees.correct(r.features, SIGNALS.names, r.linear)
    )
    moved = {SIGNALS.names[n] for n in np.flatnonzero(np.abs(parts).sum(axis=0))}
    assert {"lift", "kinds"} <= moved <= {"popularity", "lift", "kinds"}


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=6), st.sampled_from(["words", "interests"]))
def test_what_was_asked_for_never_lowers_an_item(values, name):
    features = np.zeros((len(values), len(SIGNALS)))
    features[:, SIGNALS.index(name)] = sorted(values)
    correction = ASKED[name].correct(features, SIGNALS.names, np.zeros(len(values)))
    assert (np.diff(correction) >= -1e-12).all()


def _against(name):
    """Requests in which those who asked for something liked the opposite."""
    rng, out = np.random.default_rng(0), []
    for user in range(40):
        features = np.zeros((50, len(SIGNALS)), np.float32)
        features[:, SIGNALS.index(name)] = rng.normal(size=50)
        features[:, SIGNALS.index("lift")] = rng.normal(size=50)
        liked = features[:, SIGNALS.index("lift")] - features[:, SIGNALS.index(name)] > 1
        out.append(RankingGroup(f"u{user}", features, liked, np.zeros(50)))
    return out


ASKED = {name: fit_trees(_against(name), rounds=20) for name in ("words", "interests")}


def test_a_large_catalog_is_corrected_at_its_top_and_kept_in_order_below(trees):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(POOL + 500, len(SIGNALS)))
    linear = rng.normal(size=POOL + 500)
    found = trees.correct(features, SIGNALS.names, linear)
    top = np.argsort(-linear)[:POOL]
    rest = np.setdiff1d(np.arange(len(linear)), top)
    assert set(found[rest]) == {found[top].min()}
    alone = trees.correct(features[top], SIGNALS.names, linear[top])
    np.testing.assert_allclose(found[top], alone)


def test_trees_survive_json_inside_the_ranker(trees):
    ranker = BlendRanker({"prior": {"popularity": (1.0, 0.0)}}, trees)
    again = BlendRanker.from_dict(json.loads(json.dumps(ranker.to_dict())))
    r = requests(1, seed=4)[0]
    weights = ranker.weights("prior", 0)
    assert not states_taste(r.features)
    np.testing.assert_array_equal(ranker.scores(r.features, weights), r.features @ weights)
    r.features[:, SIGNALS.index("shots")] = 1
    np.testing.assert_array_equal(
        again.scores(r.features, weights), ranker.scores(r.features, weights)
    )
    scores, rows = ranker.scores(r.features, weights), [3, 1, 7]
    assert (scores != r.features @ weights).any()
    parts = ranker.contributions(r.features, weights, rows)
    np.testing.assert_allclose(parts.sum(axis=1), scores[rows])


def test_fitting_is_repeatable_and_needs_something_to_learn():
    few = requests(10)
    assert fit_trees(few, rounds=5).to_dict() == fit_trees(few, rounds=5).to_dict()
    nothing = [
        RankingGroup(r.user, r.features, np.zeros(len(r.liked), bool), r.linear) for r in few
    ]
    assert fit_trees(nothing).trees == ()
    assert (
        fit_trees([]).correct(few[0].features, SIGNALS.names, few[0].linear).tolist() == [0.0] * 80
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "malformed"),
        ({}, "malformed"),
        ({"features": ["lift"], "trees": [[]]}, "malformed"),
        ({"features": ["lift"], "trees": [["x"]]}, "malformed"),
        ({"features": ["lift"], "trees": [[0.0, 1, 0.5, [1.0], [2.0]]]}, "feature 1 of 1"),
        ({"features": ["lift"], "trees": [[0.0, 0, 0.5, [1.0]]]}, "malformed"),
        ({"features": ["shoe"], "trees": [[1.0]]}, r"unknown feature.*shoe.*version"),
    ],
)
def test_malformed_trees_are_an_artifact_error(data, message):
    with pytest.raises(ArtifactError, match=message):
        TreeCorrection.from_dict(data, SIGNALS.names)


def test_a_tree_reads_back_as_written():
    tree = Node(0.1, 0, 0.5, Node(-1.0), Node(2.0, 1, 0.0, Node(1.0), Node(3.0)))
    assert Node.from_list(tree.to_list(), 2) == tree
