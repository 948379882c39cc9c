"""Recall of lists for recorded requests that are typed by themselves: no picks, demands obeyed.

    python benchmarks/typed_requests.py --requests FOLDER --artifact adapters/movies --limit 250

The test requests are matched with the artifact's catalog by title and year; what it lacks is left
out. Lists are those that a person gets: read by rules and by the language model, ordered by tiers.
Give ``--against FILE`` the JSON of an earlier run to see the paired difference.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from results import Report, command_line, table

from coldstart import Recommender, UserProfile
from coldstart.data.requests.load import load_request_log
from coldstart.data.requests.matching import onto
from coldstart.metrics.significance import bootstrap_interval

CUTS = (10, 50)
MOST = 100
"""Length of the lists, from which what was mentioned is taken out."""


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", default="adapters/movies")
    parser.add_argument("--requests", type=Path, required=True, help="folder of ReDial")
    parser.add_argument("--limit", type=int, default=250)
    parser.add_argument("--against", type=Path, help="JSON of an earlier run")
    options = parser.parse_args()
    report = Report("Requests typed by themselves", "numpy")
    ours = Recommender.from_pretrained(options.artifact)
    log = onto(load_request_log(options.requests, exact_only=True), ours.catalog)
    usable = [r for r in log.test if r.targets and len(r.text) > 15]
    chosen = np.sort(np.random.default_rng(7).permutation(len(usable))[: options.limit])
    hits: dict[str, list[list[int]]] = {}  # by dialogue: cases, then hits at each cut
    for n in chosen.tolist():
        request = usable[n]
        known = {m.item_id for m in request.mentioned}
        made = ours.recommend(UserProfile(about=request.text[-2000:]), k=MOST).item_ids
        shown = [item for item in made if item not in known]
        for target in request.targets:
            rank = shown.index(target) if target in shown else MOST
            hits.setdefault(request.dialogue, []).append([1, *(rank < cut for cut in CUTS)])
    sums = {name: np.sum(rows, axis=0).tolist() for name, rows in hits.items()}
    before = json.loads(options.against.read_text())["dialogues"] if options.against else {}
    rows, figures = [], {"dialogues": sums}
    for column, cut in enumerate(CUTS, 1):
        cases = np.array([[s[0], s[column]] for s in sums.values()], dtype=float)
        recall = cases[:, 1].sum() / cases[:, 0].sum()
        change = None
        if common := [name for name in sums if name in before]:
            per = [(sums[n][column] - before[n][column]) / sums[n][0] for n in common]
            low, high = bootstrap_interval(per, seed=0)
            change = f"{np.mean(per):+.3f} ({low:+.3f} to {high:+.3f})"
        rows.append((f"recall at {cut}", int(cases[:, 0].sum()), f"{recall:.3f}", change))
        figures[f"recall@{cut}"] = round(float(recall), 4)
    head = ("", "cases", "mean", "change by dialogue")
    report.publish(options.out, [table(head, rows)], figures)


if __name__ == "__main__":
    main()
