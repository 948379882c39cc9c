from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.schema import UserProfile
from tests.evaluation.baselines.six_films import training


def test_training_data_holds_the_named_users_only():
    from tests.toy import toy_dataset

    data = toy_dataset()
    few = TrainingData.of(data, ["u1", "u2"])
    assert list(few.users) == list(few.likes) == ["u1", "u2"]
    assert few.matrix.shape == (2, len(data.catalog))
    assert few.matrix.sum() == sum(len(data.likes[u]) for u in few.users)
    assert few.counts.n_users == 2


def test_items_outside_the_catalog_are_ignored():
    data = training({"u": (UserProfile(), ["a", "gone", "a", "c"])})
    assert data.matrix.toarray().tolist() == [[1, 0, 1, 0, 0, 0]]
