"""Baselines that are trained: ALS, autoencoder, WARP."""

import math
import sys

import numpy as np
import pytest
from scipy import sparse

from coldstart.errors import MissingExtraError
from coldstart.evaluation.baselines.als import als, fold_in, item_factors
from coldstart.evaluation.baselines.dropout_autoencoder import dropout_autoencoder
from coldstart.evaluation.baselines.lightfm_warp import lightfm_warp
from coldstart.evaluation.baselines.popularity import popularity_baseline
from coldstart.schema import UserProfile
from tests.evaluation.baselines.six_films import TOY, scores, training


def test_fold_in_is_weighted_least_squares():
    rng = np.random.default_rng(0)
    items, picks, alpha, l2 = rng.normal(size=(9, 3)), [1, 4, 5], 7.0, 0.5
    wanted = np.zeros(9)
    wanted[picks] = 1.0
    root = np.sqrt(np.where(wanted > 0, alpha, 1.0))
    left = np.vstack([items * root[:, None], math.sqrt(l2) * np.eye(3)])
    right = np.concatenate([wanted * root, np.zeros(3)])
    expected = np.linalg.lstsq(left, right, rcond=None)[0]
    assert fold_in(items, picks, alpha=alpha, l2=l2) == pytest.approx(expected)


def test_fold_in_agrees_with_the_library():
    pytest.importorskip("implicit")
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    data = training()
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=2, alpha=3.0, regularization=0.1, num_threads=1, random_state=0, use_cg=False
        )
        model.fit(sparse.csr_matrix(data.matrix, dtype=np.float32), show_progress=False)
        one = sparse.csr_matrix(([1.0, 1.0], ([0, 0], [0, 3])), shape=(1, 6), dtype=np.float32)
        expected = model.recalculate_user(0, one)
    items = item_factors(data.matrix, factors=2, alpha=3.0, l2=0.1)
    assert items == pytest.approx(model.item_factors)
    assert fold_in(items, [0, 3], alpha=3.0, l2=0.1) == pytest.approx(expected, rel=1e-3)
    found = scores(
        als(data, factors=2, alpha=3.0, l2=0.1), UserProfile(gender="M", liked=["a", "d"])
    )
    assert found["b"] == pytest.approx(float(items[1] @ expected), rel=1e-3)


def test_als_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'coldstart-rec\[rivals\]'"):
        als(training())


TASTES = {
    f"{g}{n}": (UserProfile(gender=g), likes) for g, likes in (("M", "abc"), ("F", "def"))
    for n in range(40)
}  # fmt: skip


@pytest.mark.parametrize("order", ["first", "random"])
def test_autoencoder_learns_attributes_and_picks(order):
    system = dropout_autoencoder(training(TASTES), hidden=4, decay=0.1, epochs=200, order=order)
    assert set(system.recommend(UserProfile(gender="M"), k=3).item_ids) == set("abc")
    assert set(system.recommend(UserProfile(gender="F"), k=3).item_ids) == set("def")
    assert set(system.recommend(UserProfile(liked=["d"]), k=2).item_ids) == set("ef")


def test_untrained_autoencoder_is_popularity():
    data = training()
    found = dropout_autoencoder(data, epochs=0).recommend(UserProfile(gender="M"), k=3)
    expected = popularity_baseline(TOY, data.counts).recommend(UserProfile(), k=3)
    assert found.item_ids == expected.item_ids


def test_autoencoder_leaves_torch_as_it_was():
    import torch

    state, threads = torch.get_rng_state(), torch.get_num_threads()
    dropout_autoencoder(training(), epochs=2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_warp_learns_attributes_and_picks():
    pytest.importorskip("lightfm")
    system = lightfm_warp(training(TASTES), factors=4, epochs=30)
    assert set(system.recommend(UserProfile(gender="M"), k=3).item_ids) == set("abc")
    assert set(system.recommend(UserProfile(gender="F"), k=3).item_ids) == set("def")
    assert set(system.recommend(UserProfile(liked=["d"]), k=2).item_ids) == set("ef")


def test_warp_scores_a_person_by_the_sum_of_what_they_say():
    """With one feature the library predicts the same; more add up, less the biases."""
    pytest.importorskip("lightfm")
    system = lightfm_warp(training(TASTES), factors=4, epochs=5)
    nobody = system.scores(UserProfile())
    said = [system.scores(p) - nobody for p in (UserProfile(gender="M"), UserProfile(liked="ad"))]
    both = system.scores(UserProfile(gender="M", liked="ad"))
    assert both == pytest.approx(nobody + sum(said))


def test_warp_agrees_with_the_library_where_nothing_is_shown():
    lightfm = pytest.importorskip("lightfm")
    data = training(TASTES)
    model = lightfm.LightFM(3, loss="warp", learning_rate=0.1, random_state=5)
    gender = np.array([[1.0, 0.0] if u.startswith("M") else [0.0, 1.0] for u in data.users])
    features = np.hstack([gender, np.zeros((len(gender), 6))]).astype(np.float32)
    for _ in range(3):
        likes = data.matrix.tocoo()
        model.fit_partial(
            sparse.coo_matrix((likes.data.astype(np.float32), (likes.row, likes.col)), likes.shape),
            sparse.csr_matrix(features),
            num_threads=1,
        )
    found = lightfm_warp(data, factors=3, epochs=3, rate=0.1, most_picks=0, seed=5)
    items = model.item_embeddings.astype(float)
    expected = items @ model.user_embeddings[1].astype(float) + model.item_biases
    assert found.scores(UserProfile(gender="F")) == pytest.approx(expected, abs=1e-6)


def test_untrained_warp_is_popularity():
    pytest.importorskip("lightfm")
    data = training()
    found = lightfm_warp(data, epochs=0).recommend(UserProfile(gender="M"), k=6)
    expected = popularity_baseline(TOY, data.counts).recommend(UserProfile(), k=6)
    assert found.item_ids == expected.item_ids


def test_warp_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightfm", None)
    with pytest.raises(MissingExtraError, match=r"imported \(pip install lightfm-next\)"):
        lightfm_warp(training())
