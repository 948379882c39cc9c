"""What is said at the end of a training."""

from __future__ import annotations

import pytest

from coldstart.cli.train_summary import evaluated_by, how_good, learned
from coldstart.training.crossfit import ENOUGH_USERS
from coldstart.training.worth import Amount, verdicts


def compared(kept, **more):
    return {"before": 0.2, "after": 0.25, "users": 40, "kept": kept} | more


def refreshed(comparisons, popularity=0.1):
    amount = Amount(users=900, likes=50_000, requests=400)
    parts = [verdict.to_dict() for verdict in verdicts(amount).values()]
    about = {"users": 900, "likes": 50_000, "parts": parts, "comparisons": comparisons}
    # Figures of the artifact that it was made of stay in the manifest.
    before = {"best_epoch": 3, "history": [], "ranker_ndcg@10": {"catalog_k0": 0.9}}
    return {"refreshed": about | {"popularity": popularity}, "validation": before}


def test_a_refresh_is_judged_on_what_it_learned_itself():
    manifest = refreshed({"trees": compared("after"), "requests": compared("after", users=7)})
    assert how_good(manifest) == [
        "NDCG@10 0.250 on 40 held-out users, by whom it was chosen; "
        "the most popular items have 0.100 (+150%)",
        "NDCG@10 0.250 on the requests of 7 held-out people; without what requests teach 0.200",
    ]
    assert learned(manifest)[0] == "counted: 900 users with 50,000 likes"
    assert learned(manifest)[1].startswith("trees: learned: NDCG@10 0.250 against 0.200 before")


def test_what_was_not_kept_does_not_count():
    manifest = refreshed({"trees": compared("before"), "requests": compared("before")}, 0.2)
    assert how_good(manifest) == [
        "NDCG@10 0.200 on 40 held-out users, by whom it was chosen; "
        "the most popular items have 0.200 (+0%); no better "
        "than these",
        "NDCG@10 0.200 on the requests of 40 held-out people",
    ]


def test_without_a_comparison_it_is_said():
    assert how_good(refreshed({}))[0].startswith("not compared")
    assert how_good({})[0].startswith("not compared")


def test_trees_are_named_where_there_were_enough_users():
    data = {"users": 100, "likes": 2000}
    (line,) = learned({"data": data, "split": {"train": ENOUGH_USERS}})
    assert line.startswith(f"counts and trees from {ENOUGH_USERS} of 100 users, with 2,000 likes")
    (line,) = learned({"data": data, "split": {"train": ENOUGH_USERS - 1}})
    assert line.startswith("counts from ")


@pytest.mark.parametrize(
    ("best", "history", "text"),
    [
        (2, [{}, {}, {}], "a language model's adapter: epoch 2 of 2 ranked best"),
        (0, [{}, {}], "no adapter: no epoch ranked better"),
    ],
)
def test_the_adapter(best, history, text):
    (line,) = learned({"validation": {"best_epoch": best, "history": history}})
    assert line.startswith(text)
    assert learned({"validation": {"best_epoch": 0, "history": [{}]}}) == []  # none was wanted


def test_picks_are_named_in_their_order():
    figures = {"catalog_k10": 0.4, "catalog_k0": 0.2, "catalog_k1": 0.3, "popularity_k0": 0.0}
    manifest = {"validation": {"ranker_ndcg@10": figures}, "split": {"valid": 1234}}
    assert how_good(manifest) == [
        "NDCG@10 0.200 on 1,234 validation users without picks; the most popular items have 0.000",
        "NDCG@10 0.300 on 1,234 validation users with 1 pick",
        "NDCG@10 0.400 on 1,234 validation users with 10 picks",
    ]


def test_the_command_that_evaluates(tmp_path):
    said = {"items": "a b.csv", "like_at": 5.0}
    expected = f"coldstart evaluate '{tmp_path}/x y' --items 'a b.csv' --like-at 5.0"
    assert evaluated_by(tmp_path / "x y", said) == expected
