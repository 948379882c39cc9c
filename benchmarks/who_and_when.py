"""Whom an artifact serves how well, by gender, and what context and language change in its lists.

    python benchmarks/who_and_when.py --artifact adapters/ml-100k --out docs/results/who-and-when
    python benchmarks/who_and_when.py --artifact adapters/movies --users 20

The held-out users of the artifact's split, with its data. By gender: NDCG@10 of the
the blend without the language model and of the popularity list, for every user. Context: lists of
some users with and without one statement; an overlap of 1 means that it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from results import Report, command_line, table

from coldstart import Context, Recommender
from coldstart.data.dataset import Dataset
from coldstart.data.named import NAMED
from coldstart.evaluation.cases import ColdCase, support_cases
from coldstart.evaluation.group_fairness import by_group, gap
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.splitting.user_splits import Split

PICKS = (0, 5)
STATEMENTS: dict[str, tuple[Context, dict[str, str]]] = {
    "time: Friday evening": (Context(time="Friday evening"), {}),
    "device: phone": (Context(device="phone"), {}),
    "place: train": (Context(place="on the train"), {}),
    "occasion: date night": (Context(occasion="date night"), {}),
    "occasion: with the children": (Context(occasion="a film to see with the children"), {}),
    "text: something funny": (Context(text="something funny"), {}),
    "language: French": (Context(), {"language": "French"}),
    "location: Paris": (Context(), {"location": "Paris"}),
}


def best(rec: Recommender, case: ColdCase, context: Context, strategy: str) -> list[str]:
    """The first ten items of a list that are no reserved likes of the user."""
    found = rec.recommend(
        case.profile, context, k=10 + len(case.excluded), strategy=strategy, near_duplicates=True
    )  # type: ignore[call-overload]
    return [i for i in found.item_ids if i not in case.excluded][:10]


def genders(rec: Recommender, data: Dataset, cases: Sequence[ColdCase]) -> list[list[object]]:
    """Rows of NDCG@10 by gender, for the blend and for popularity."""
    popular = [rec.item_store.ids[r] for r in np.argsort(-rec.item_store.share, kind="stable")]
    group = {u: str(data.users[u].gender).lower() for u in {c.user for c in cases}}
    rows: list[list[object]] = []
    for picks in PICKS:
        own = [c for c in cases if c.n_picks == picks and data.users[c.user].gender]
        lists = {
            "popularity": [[i for i in popular if i not in c.excluded][:10] for c in own],
            "blend without the language model": [best(rec, c, Context(), "prior") for c in own],
        }
        for name, found in lists.items():
            pairs = zip(own, found, strict=True)
            values = {case.user: ndcg(ids, case.targets, 10) for case, ids in pairs}
            means, difference = by_group(values, group).means, gap(values, group)
            rows.append(
                [
                    name,
                    picks,
                    *(f"{means[g].mean:.3f} ({means[g].users})" for g in ("f", "m")),
                    f"{difference.difference:.3f}",
                    f"{difference.p_value:.4f}",
                ]
            )
    share = {
        u: np.mean([rec.item_store.share[rec.item_store.rows[i]] for i in data.likes[u]])
        for u in group
        if data.users[u].gender
    }
    means = by_group({u: float(v) for u, v in share.items()}, group).means
    rows.append(
        [
            "share of training users with a like of the user's likes",
            None,
            *(f"{means[g].mean:.3f} ({means[g].users})" for g in ("f", "m")),
            None,
            None,
        ]
    )
    return rows


def contexts(rec: Recommender, cases: Sequence[ColdCase], strategy: str) -> list[list[object]]:
    """Rows of overlap@10 and NDCG@10 with and without each statement."""
    plain = [best(rec, c, Context(), strategy) for c in cases]
    before = _mean_ndcg(cases, plain)
    rows: list[list[object]] = []
    for name, (context, stated) in STATEMENTS.items():
        lists = [best(rec, _with(c, stated), context, strategy) for c in cases]
        kept = [len({*a} & {*b}) / 10 for a, b in zip(plain, lists, strict=True)]
        change = _mean_ndcg(cases, lists) - before
        rows.append([strategy, name, f"{np.mean(kept):.2f}", f"{change:+.3f}"])
    return rows


def _mean_ndcg(cases: Sequence[ColdCase], lists: Sequence[list[str]]) -> float:
    pairs = zip(lists, cases, strict=True)
    return float(np.mean([ndcg(found, case.targets, 10) for found, case in pairs]))


def _with(case: ColdCase, stated: Mapping[str, str]) -> ColdCase:
    return replace(case, profile=case.profile.model_copy(update=dict(stated)))


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", type=Path, default=Path("adapters/ml-100k"))
    parser.add_argument("--users", type=int, default=20, help="for the lists with a context")
    args = parser.parse_args()
    report = Report("Gender, context and language", "numpy")
    rec = Recommender.from_pretrained(args.artifact)
    rec.item_store.sync()
    data = NAMED[rec.manifest["data"]["name"]].load()
    test = Split.load(args.artifact / "split.json").test
    cases = support_cases(data, test, PICKS, support=10).cases
    text = [f"{args.artifact}, {len({c.user for c in cases})} held-out users."]
    figures: dict[str, object] = {}
    if any(data.users[c.user].gender for c in cases):
        figures["gender"] = rows = genders(rec, data, cases)
        head = ["", "picks", "women (users)", "men (users)", "gap", "p"]
        text += ["## NDCG@10 by gender", table(head, rows)]
    some = [c for c in cases if c.n_picks == 0][: args.users]
    found = [row for s in ("prior", "catalog") for row in contexts(rec, some, s)]
    figures["context"] = found
    head = ["strategy", "stated beside the profile", "overlap@10", "change of NDCG@10"]
    text += [f"## What a statement changes ({len(some)} users, no picks)", table(head, found)]
    report.publish(args.out, text, figures)


if __name__ == "__main__":
    main()
