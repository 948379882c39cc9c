"""Preset of the benchmark for ``coldstart evaluate``: an artifact beside the headline baselines.

One fold, the artifact's own split; the systems are the registered baselines with a ``headline``,
and the artifact with profiles shuffled between users as a negative control.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import MissingExtraError
from coldstart.evaluation.baselines.registry import Baseline, baselines
from coldstart.evaluation.baselines.selection import best_setting
from coldstart.evaluation.benchmark import BenchmarkPlan, FoldTask
from coldstart.evaluation.case_metrics import ACCURACY, MAIN, Record
from coldstart.evaluation.cases import MIN_TARGETS, N_PICKS, ColdCase, shuffled, support_cases
from coldstart.evaluation.plots.of_report import charts_of
from coldstart.evaluation.recommender_adapter import LoadedArtifact
from coldstart.evaluation.report import save_charts
from coldstart.evaluation.scenarios import Fold, Kind, Scenario
from coldstart.metrics.significance import bootstrap_interval
from coldstart.protocols import Recommends
from coldstart.recommender import Recommender
from coldstart.runtime.cache import write_atomic
from coldstart.splitting.user_splits import Split

Report = Callable[[str, int, int], None]

SHUFFLED = "coldstart, catalog, shuffled profiles"
SLICE_USERS, SLICE_PICKS = 6, (0, 5)
"""A part small enough for every test run to repeat."""
CHUNK = 8
"""Cases that all systems answer in turn, so that their shared signals stay cached."""


@dataclass(frozen=True)
class EvaluationPlan:
    """What an artifact is evaluated on; may be sent to another process.

    Args:
        data: the dataset the artifact was trained on.
        split: training users, also of the baselines; validation users, for tuning; test users.
        n_picks: numbers of picks.
        seed: of free generation, shuffling and the bootstrap.
        support: first likes reserved for picks; with more picks than that, those picks.
    """

    data: Dataset
    split: Split
    n_picks: tuple[int, ...] = N_PICKS
    seed: int = 0
    support: int = 10

    def task(self, recommender: Recommender) -> FoldTask:
        """The fold, with the items of the recommender as candidates."""
        fold = Fold(self.split, self.data, recommender.catalog)
        scenario = Scenario((fold,), Kind("artifact", metrics=ACCURACY))
        plan = BenchmarkPlan(self.n_picks, self.support, seed=self.seed, fixed_targets=False)
        return FoldTask.prepare(self.data, scenario, 0, plan)

    def cases(
        self, users: Sequence[str], n_picks: Sequence[int] | None = None
    ) -> tuple[ColdCase, ...]:
        """Cases of other users by the same rules."""
        found = support_cases(
            self.data,
            users,
            self.n_picks if n_picks is None else n_picks,
            support=self.support,
            fixed_targets=False,
        )
        return found.cases


def headline(*, artifact: bool) -> list[Baseline]:
    """The installed baselines shown by ``coldstart evaluate``, in the order of its table.

    Args:
        artifact: those that need the artifact, or those trained beside it.
    """
    shown = [b for b in baselines(artifact=artifact).values() if b.headline is not None]
    chosen = [b for b in shown if (b.input == "artifact") == artifact and b.installed]
    return sorted(chosen, key=lambda b: (b.headline or 0, b.name))


def baseline_records(task: FoldTask, plan: EvaluationPlan) -> list[Record]:
    """Records of the headline baselines, named by their labels and tuned settings."""
    out: list[Record] = []
    validation = plan.cases(plan.split.valid)
    given = {"training": (task.training,), "fold": (task.training, plan.split, plan.data)}
    for one in headline(artifact=False):
        build = partial(one.build, *given[one.input])
        setting, label = one.defaults, one.label or one.name
        if one.tuning == "always":
            setting = best_setting(one, build, validation)
            label += f" ({one.describe(setting)})" if one.describe else ""
        out += task.test(label, build(**setting))
    return out


def artifact_records(
    recommender: Recommender,
    task: FoldTask,
    plan: EvaluationPlan,
    part: slice = slice(None),
    report: Report | None = None,
) -> list[Record]:
    """Records of all systems of the artifact on a part of the cases, all parts being the whole.

    Args:
        recommender: the artifact.
        task: the fold.
        plan: the evaluation.
        part: of the cases.
        report: called with (what, done, total).
    """
    artifact = LoadedArtifact(lambda: recommender, plan.seed)
    systems = {b.label or b.name: b.build(artifact) for b in headline(artifact=True)}
    catalog = baselines(artifact=True)["coldstart_catalog"]
    control = {SHUFFLED: catalog.build(artifact)}
    out = _in_turn(task, systems, task.cases[part], "true profiles", report)
    false = shuffled(task.cases, plan.seed)[part]
    return out + _in_turn(task, control, false, "shuffled profiles", report)


def evaluate_artifact(
    recommender: Recommender,
    plan: EvaluationPlan,
    *,
    folder: Path | None = None,
    jobs: int = 1,
    report: Report | None = None,
) -> dict[str, Any]:
    """Evaluate an artifact beside the baselines.

    Args:
        recommender: the artifact.
        plan: the evaluation.
        folder: of the artifact, from which further processes load it.
        jobs: processes of one thread each; on a few cores two processes are quicker than one with
            two threads, since one user's pass is short.
        report: called with (what, done, total).

    Returns:
        Plain data: ``rows``, and what produced them.
    """
    task = plan.task(recommender)
    beside = baseline_records(task, plan)
    records: list[Record] = []
    if jobs > 1 and folder is not None:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            shares = jobs * 8  # small, for progress and an even load
            tasks = [
                pool.submit(_records_in_worker, folder, plan, slice(n, None, shares))
                for n in range(shares)
            ]
            for done, each in enumerate(as_completed(tasks), start=1):
                if report:
                    report("shares of the cases", done, shares)
                each.result()
            for each in tasks:
                records += each.result()
    else:
        records = artifact_records(recommender, task, plan, report=report)
    blocks = (
        beside,
        [r for r in records if r.system != SHUFFLED],
        [r for r in records if r.system == SHUFFLED],
    )
    return {
        "rows": [row for block in blocks for row in summary_rows(block, plan.seed)],
        "slice": _slice(recommender, task, plan),
        "seed": plan.seed,
        "reserved": plan.support,
        "users": len({c.user for c in task.cases}),
        "items": len(recommender.catalog),
        "data": {"name": plan.data.name, "fingerprint": plan.data.fingerprint},
        "versions": {p: version(p) for p in ("coldstart-rec", "torch", "transformers", "numpy")},
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }


def summary_rows(records: Sequence[Record], seed: int = 0) -> list[dict[str, Any]]:
    """Mean and its 95 % bootstrap interval, by number of picks and system.

    Args:
        records: with the values of ``ACCURACY``.
        seed: of the bootstrap.
    """
    found: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        found.setdefault((record.system, record.n_picks), []).append(record)
    out = []
    for (system, n_picks), own in sorted(found.items(), key=lambda f: f[0][1]):
        values = dict(zip(ACCURACY, zip(*(r.values for r in own), strict=True), strict=True))
        ends = {m: bootstrap_interval(v, seed, ordered=True) for m, v in values.items()}
        row = {
            "system": system,
            "shots": n_picks,
            "users": len(own),
            "values": {m: float(np.mean(v)) for m, v in values.items()},
            "interval": {m: list(both) for m, both in ends.items()},
            "half_width": {m: (high - low) / 2 for m, (low, high) in ends.items()},
        }
        out.append(row)
    return out


def as_markdown(figures: dict[str, Any], metric: str = MAIN) -> str:
    """One table: systems down, numbers of picks across, mean ± half the 95 % interval."""
    rows = figures["rows"]
    numbers = sorted({r["shots"] for r in rows})
    users = {k: next(r["users"] for r in rows if r["shots"] == k) for k in numbers}
    lines = [
        f"| {metric.upper()} | " + " | ".join(f"k={k} (n={users[k]})" for k in numbers) + " |",
        "|---" * (len(numbers) + 1) + "|",
    ]
    for name in dict.fromkeys(r["system"] for r in rows):
        cells = {r["shots"]: r for r in rows if r["system"] == name}
        values = [
            f"{cells[k]['values'][metric]:.3f} ± {cells[k]['half_width'][metric]:.3f}"
            if k in cells
            else "–"
            for k in numbers
        ]
        lines.append(f"| {name} | " + " | ".join(values) + " |")
    return "\n".join(lines) + "\n"


def save_figures(figures: dict[str, Any], out: Path, command: str) -> None:
    """Write ``OUT.json`` and ``OUT.md``, and plots beside them, if matplotlib is installed."""
    full = {"command": command, **figures}
    try:
        plots = save_charts(charts_of(full), out.with_suffix(""))
    except MissingExtraError:
        plots = []
    shown = [(title, path.name) for title, path in plots if path.suffix == ".svg"]
    images = "".join(f"\n![{title}]({quote(name)})\n" for title, name in shown)
    write_atomic(out.with_suffix(".json"), json.dumps(full, indent=1, ensure_ascii=False) + "\n")
    tables = "\n".join(as_markdown(figures, m) for m in ACCURACY[:2])
    about = (
        f"Made by `{command}` (seed {figures['seed']}, {figures['users']} held-out users, full "
        f"ranking over {figures['items']} items less the first {figures['reserved']} likes, "
        f"which are no targets; mean over users ± half the 95 % "
        f"bootstrap interval; data {figures['data']['fingerprint'][:12]}, "
        + ", ".join(f"{p} {v}" for p, v in figures["versions"].items())
        + f", {figures['machine']}).\n"
    )
    write_atomic(out.with_suffix(".md"), f"{about}\n{tables}{images}")


def _in_turn(
    task: FoldTask,
    systems: dict[str, Recommends],
    cases: Sequence[ColdCase],
    what: str,
    report: Report | None,
) -> list[Record]:
    """Records of systems that share signals, a chunk of cases at a time."""
    out: list[Record] = []
    done = 0
    for chunk in _chunks(cases):
        for name, system in systems.items():
            out += task.test(name, system, chunk)
        done += len(chunk)
        if report:
            report(what, done, len(cases))
    return out


def _chunks(cases: Sequence[ColdCase]) -> Iterator[Sequence[ColdCase]]:
    return (cases[at : at + CHUNK] for at in range(0, len(cases), CHUNK))


def _slice(recommender: Recommender, task: FoldTask, plan: EvaluationPlan) -> dict[str, Any]:
    """NDCG@10 of a few users, for a regression test."""
    most = max(plan.support, *SLICE_PICKS)
    few = [u for u in plan.split.test if len(plan.data.likes[u]) >= most + MIN_TARGETS]
    few = few[:SLICE_USERS]
    artifact = LoadedArtifact(lambda: recommender, plan.seed)
    made = baselines(artifact=True)["coldstart_catalog"].build(artifact)
    rows = summary_rows(task.test("x", made, plan.cases(few, SLICE_PICKS)), plan.seed)
    return {
        "users": few,
        "shots": SLICE_PICKS,
        "reserved": plan.support,
        "ndcg@10": {str(row["shots"]): row["values"][MAIN] for row in rows},
    }


@lru_cache(maxsize=1)
def _loaded_with_one_thread(folder: Path) -> Recommender:
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    return Recommender.from_pretrained(folder)


def _records_in_worker(folder: Path, plan: EvaluationPlan, part: slice) -> list[Record]:
    recommender = _loaded_with_one_thread(folder)
    return artifact_records(recommender, plan.task(recommender), plan, part)
