"""How little data trees, the request encoder and the language model pay for.

    python benchmarks/too_little.py --parts trees,requests --out docs/results/too-little

Trees: held-out users of MovieLens-100K, MovieLens-small and Amazon Industrial (``--amazon FOLDER``,
not fetched), ranked after training on the first U users with their first L likes each; the linear
blend of the same counts against the same with trees, NDCG@10 over 1, 3 and 5 picks.

Requests: test requests of ReDial (``--redial FOLDER``, not fetched), after learning from R of its
training and validation requests on top of an artifact of its catalog alone; that artifact's blend
against what is learned, as ``coldstart train --from`` does it.

The language model's adapter is measured elsewhere (docs/results/ml-100k.md): hours for each point.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from results import Report, command_line, table

from coldstart import Recommender
from coldstart.artifacts.loading import RecommenderParts, make_encoder
from coldstart.data.dataset import Dataset
from coldstart.data.named import NAMED
from coldstart.data.requests.load import load_request_log
from coldstart.data.requests.own import part_of
from coldstart.data.requests.recorded import RecordedRequest, RequestLog
from coldstart.data.tables import load_dataset
from coldstart.evaluation.cases import ColdCase, support_cases
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.metrics.significance import paired_bootstrap
from coldstart.profile.resolve import ResolvedProfile
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime.models import DEFAULT_ENCODER
from coldstart.schema import Context
from coldstart.splitting.user_splits import shuffled_ids
from coldstart.starting.build import start_parts
from coldstart.training.boosting import fit_trees
from coldstart.training.comparison import MOST, request_ndcg
from coldstart.training.crossfit import ranking_groups
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.refresh import RefreshConfig, enough_steps
from coldstart.training.requests.run import learn_requests
from coldstart.training.simulation import target_rule

USERS = (25, 50, 100, 200, 400)
LIKES = (5, 10, 20, 10_000)
PICKS = (1, 3, 5)
REQUESTS = (100, 300, 1000, 3000)
TESTED = 150
TESTED_REQUESTS = 300
Values = dict[str, float]


def main() -> None:
    """Measure the chosen parts; figures of earlier parts in OUT.json are kept."""
    parser = command_line(__doc__)
    parser.add_argument("--parts", default="trees", help="trees, requests")
    parser.add_argument("--data", default="ml-100k,ml-small", help="named datasets")
    parser.add_argument("--amazon", type=Path, help="folder of items.csv and interactions.csv")
    parser.add_argument("--redial", type=Path, help="folder of ReDial")
    parser.add_argument("--requests", type=int, nargs="*", default=REQUESTS)
    parser.add_argument("--users", type=int, nargs="*", default=USERS)
    parser.add_argument("--likes", type=int, nargs="*", default=LIKES)
    chosen = parser.parse_args()
    report = Report("How little is too little", "lightgbm", "numpy")
    figures = _earlier(chosen.out)
    for part in chosen.parts.split(","):
        _PARTS[part](chosen, figures.setdefault(part, []))
        report.publish(chosen.out, _told(figures), figures)


def _trees(chosen: argparse.Namespace, rows: list[dict[str, Any]]) -> None:
    for data in _datasets(chosen):
        everyone = shuffled_ids(data.likes)
        least = target_rule(data, everyone)[1]
        tested = [u for u in everyone if len(data.likes[u]) >= max(PICKS) + least][:TESTED]
        others = [u for u in everyone if u not in set(tested)]
        done = {(r["data"], r["users"], r["likes"]) for r in rows}
        for users in chosen.users:
            for likes in chosen.likes:
                if users > len(others) or (data.name, users, likes) in done:
                    continue
                own = others[:users]
                small = _first(data, own, likes)
                row = {"data": data.name, "users": users, "likes": likes}
                row["total"] = sum(len(small.likes[u]) for u in own)
                rows.append(row | _trees_pay(data, small, own, tested, least))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)  # noqa: T201


def _trees_pay(
    data: Dataset, small: Dataset, own: Sequence[str], tested: Sequence[str], least: int
) -> dict[str, Any]:
    """Both blends of the counts of a few users, on the same held-out users."""
    start = time.perf_counter()
    out_of_fold, linear = OutOfFold(small, own, _encoder()), BlendRanker.classical()
    groups = ranking_groups(small, own, out_of_fold, linear)
    trees, favourites = (
        fit_trees([g for g in groups if g.order == order]) for order in ("first", "random")
    )
    seconds = time.perf_counter() - start
    rankers = {"linear": linear, "trees": BlendRanker.classical(trees, favourites)}
    found: dict[str, dict[str, list[float]]] = {name: {} for name in rankers}
    for order in ("first", "random"):
        made = support_cases(
            data, tested, PICKS, support=0, order=order, min_targets=least, fixed_targets=False
        )
        for case in made.cases:
            for name, value in _values(case, out_of_fold, rankers).items():
                found[name].setdefault(case.user, []).append(value)
    means = {n: {u: float(np.mean(v)) for u, v in by.items()} for n, by in found.items()}
    gain = paired_bootstrap(means["trees"], means["linear"], 0)
    return {
        "linear": round(float(np.mean([*means["linear"].values()])), 4),
        "trees": round(float(np.mean([*means["trees"].values()])), 4),
        "gain": [round(x, 4) for x in (gain.mean, gain.low, gain.high)],
        "seconds": round(seconds, 1),
    }


def _requests(chosen: argparse.Namespace, rows: list[dict[str, Any]]) -> None:
    if chosen.redial is None:
        raise SystemExit("--redial FOLDER is needed for the part requests")
    log = load_request_log(chosen.redial)
    tested = [log.test[n] for n in np.random.default_rng(0).permutation(len(log.test)).tolist()]
    tested = tested[:TESTED_REQUESTS]
    pool = [*log.train, *log.valid]
    people = list(dict.fromkeys(r.dialogue for r in pool))
    place = {
        people[n]: at for at, n in enumerate(np.random.default_rng(1).permutation(len(people)))
    }
    pool.sort(key=lambda r: place[r.dialogue])  # whole dialogues, mixed
    parts = start_parts(log.catalog, name="redial")
    kept = _request_values(_recommender(parts), tested)
    for size in chosen.requests:
        if size in {r["requests"] for r in rows}:
            continue
        start, some = time.perf_counter(), pool[:size]
        valid = [r for r in some if part_of(r.dialogue) != "train"]
        train = [r for r in some if part_of(r.dialogue) == "train"]
        new = _recommender(parts)
        few = RequestLog("redial", log.catalog, train, valid, ())
        steps = enough_steps(RefreshConfig().requests, len(train))
        with TemporaryDirectory() as runs:
            learn_requests(new, few, steps, Path(runs))
        seconds = time.perf_counter() - start
        learned = _request_values(new, tested)
        gain = paired_bootstrap(learned, kept, 0)
        rows.append(
            {
                "requests": size,
                "kept": round(float(np.mean([*kept.values()])), 4),
                "learned": round(float(np.mean([*learned.values()])), 4),
                "gain": [round(x, 4) for x in (gain.mean, gain.low, gain.high)],
                "seconds": round(seconds, 1),
            }
        )
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)  # noqa: T201


def _recommender(parts: RecommenderParts) -> Recommender:
    return Recommender(**vars(replace(parts, ranker=BlendRanker.from_dict(parts.ranker.to_dict()))))


def _request_values(recommender: Recommender, requests: Sequence[RecordedRequest]) -> Values:
    found: Values = {}
    for start in range(0, len(requests), MOST):
        found |= request_ndcg(recommender, requests[start : start + MOST])
    return found


def _values(case: ColdCase, out_of_fold: OutOfFold, rankers: Mapping[str, BlendRanker]) -> Values:
    user = ResolvedProfile(case.profile, Context())
    (features,) = out_of_fold.features(case.user, [user])
    items = out_of_fold.everyone
    picks = [items.rows[p.item] for p in case.profile.liked]
    out = {}
    for name, ranker in rankers.items():
        scores = ranker.scores(features, ranker.weights("prior", case.n_picks))
        scores[picks] = -np.inf
        best = [items.ids[n] for n in np.argsort(-scores, kind="stable")[:10]]
        out[name] = ndcg(best, case.targets, 10)
    return out


def _first(data: Dataset, users: Sequence[str], likes: int) -> Dataset:
    """The data of some users, with their first likes only."""
    kept = {u: data.likes[u][:likes] for u in users}
    low = {u: data.dislikes[u][:likes] for u in users if u in data.dislikes}
    people = {u: data.users[u] for u in users}
    times = {u: data.times[u][:likes] for u in users} if data.times else {}
    return replace(
        data, likes=kept, dislikes=low, users=people, times=times, dislike_times={}, report=None
    )


def _datasets(chosen: argparse.Namespace) -> Iterator[Dataset]:
    for name in filter(None, chosen.data.split(",")):
        yield NAMED[name].load()
    if chosen.amazon:
        paths = chosen.amazon / "items.csv", chosen.amazon / "interactions.csv"
        yield load_dataset(*paths, name="amazon-industrial")


def _encoder() -> Any:
    return make_encoder(DEFAULT_ENCODER)


def _earlier(out: Path | None) -> dict[str, list[dict[str, Any]]]:
    path = out and out.with_name(f"{out.name}.json")
    if not path or not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {part: found[part] for part in _PARTS if part in found}


def _told(figures: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    head = ("data", "users", "likes each", "likes", "linear", "with trees", "gain", "seconds")
    rows = [
        (
            r["data"],
            r["users"],
            "all" if r["likes"] >= 10_000 else r["likes"],
            f"{r['total']:,}",
            f"{r['linear']:.4f}",
            f"{r['trees']:.4f}",
            "{:+.4f} [{:+.4f}, {:+.4f}]".format(*r["gain"]),
            r["seconds"],
        )
        for r in figures.get("trees", ())
    ]
    told = ["## Trees", table(head, rows)] if rows else []
    rows = [
        (
            f"{r['requests']:,}",
            f"{r['kept']:.4f}",
            f"{r['learned']:.4f}",
            "{:+.4f} [{:+.4f}, {:+.4f}]".format(*r["gain"]),
            r["seconds"],
        )
        for r in sorted(figures.get("requests", ()), key=lambda r: r["requests"])
    ]
    head = ("requests", "of the catalog alone", "learned", "gain", "seconds")
    told += ["## Requests (ReDial)", table(head, rows)] if rows else []
    return [_MEANING, *told]


_MEANING = (
    "Mean NDCG@10 of held-out users, or persons, with the 95 % bootstrap interval of the "
    "difference. The threshold of trees in `coldstart/training/worth.py` is the smallest number of "
    "users from which on no interval lies below 0, and most lie above; that of requests, the "
    "smallest number from which on all intervals lie above. The language model's "
    "adapter is not in here: with the 660 training users of MovieLens-100K, lists with it are "
    "level with those without it ([ml-100k.md](ml-100k.md)), so its threshold is where it was seen "
    "to cost nothing. Rows of earlier runs stay: `--users`, `--likes` and `--requests` say which "
    "are added."
)
Part = Callable[[argparse.Namespace, list[dict[str, Any]]], None]
_PARTS: dict[str, Part] = {"trees": _trees, "requests": _requests}


if __name__ == "__main__":
    main()
