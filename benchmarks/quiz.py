"""How many questions does a quiz need? NDCG@10 of held-out users after each number of questions.

People answer from their ratings: 4 or 5 is a yes, 1 or 2 a no, anything else "I don't know it".
The recommender has no language model and was fitted on the training users of the first fold.

    python benchmarks/quiz.py --part valid --protocols halves --out docs/results/quiz-ml-100k-valid
    python benchmarks/quiz.py --data ml-100k --quizzes all --out docs/results/quiz-ml-100k

The default quiz was chosen by the first; the second is published. Learning the ranker takes three
minutes once (``--work`` keeps it), each protocol two minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import get_args

from coldstart.data.named import NAMED
from coldstart.evaluation.onboarding import (
    Protocol,
    Values,
    as_json,
    fitted,
    markdown,
    quiz_values,
    summarise,
)
from coldstart.metrics.significance import Difference, paired_bootstrap
from coldstart.runtime.cache import cache_dir, write_atomic
from coldstart.session import DEFAULT_QUIZ, QUIZZES
from coldstart.splitting.folds import user_folds

FEW, MANY = 3, 8
EXPLAINED = {
    "halves": "Questions about one half of the catalog, lists and targets from the other, and the "
    "other way round: the same targets everywhere.",
    "rest": "Questions about any item; what was asked about is neither shown nor a target, so that "
    "who finds favourites has harder targets left.",
}


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", choices=sorted(NAMED), default="ml-100k")
    parser.add_argument("--part", choices=("valid", "test"), default="test", help="who is asked")
    parser.add_argument("--users", type=int, default=None, help="so many at most; all if left out")
    parser.add_argument("--questions", default="0,1,2,3,5,8", help="numbers of questions")
    parser.add_argument("--quizzes", default="all", help=f"all, or some of {','.join(QUIZZES)}")
    parser.add_argument("--protocols", default="halves,rest", help="halves, rest or both")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=cache_dir() / "quiz", help="keeps the ranker")
    parser.add_argument("--out", type=Path, required=True, help="writes OUT.md and OUT.json")
    return parser


def reached(values: Values) -> tuple[float, float, Difference] | None:
    """The default after 3 questions, random ones after 8, and the difference of the users."""
    ours, theirs = values.get((DEFAULT_QUIZ, FEW)), values.get(("random", MANY))
    if ours is None or theirs is None:
        return None
    means = (sum(x.values()) / len(x) for x in (ours, theirs))
    return (*means, paired_bootstrap(ours, theirs, 0))  # type: ignore[return-value]


def main() -> None:
    """Measure and write the report."""
    parser = options()
    chosen = parser.parse_args()
    names = list(QUIZZES) if chosen.quizzes == "all" else chosen.quizzes.split(",")
    protocols = chosen.protocols.split(",")
    if unknown := [n for n in names if n not in QUIZZES]:
        parser.error(f"no quiz {unknown[0]!r}; known: {', '.join(QUIZZES)}")
    if unknown := [p for p in protocols if p not in get_args(Protocol)]:
        parser.error(f"no protocol {unknown[0]!r}; known: {', '.join(get_args(Protocol))}")
    try:
        numbers = [int(n) for n in chosen.questions.split(",")]
    except ValueError:
        parser.error(f"--questions is {chosen.questions!r}; give numbers such as 0,1,3")
    data = NAMED[chosen.data].load()
    split = user_folds(list(data.likes))[0]
    users = list(getattr(split, chosen.part))[: chosen.users]
    recommender = fitted(data, split, chosen.work)
    command = (
        f"python benchmarks/quiz.py --data {chosen.data} --part {chosen.part}"
        + (f" --users {chosen.users}" if chosen.users is not None else "")
        + f" --questions {chosen.questions} --quizzes {chosen.quizzes}"
        + f" --protocols {chosen.protocols} --seed {chosen.seed} --out {chosen.out}"
    )
    lines = [
        f"# Questions on {data.name}",
        "",
        f"Made by `{command}`.",
        "",
        f"NDCG@10 ± half the 95 % bootstrap interval, {chosen.part} users of the first fold of "
        f"five, who start with their attributes. Default: `{DEFAULT_QUIZ}`.",
    ]
    found: dict[str, object] = {"command": command, "default": DEFAULT_QUIZ}
    for protocol in protocols:
        values = quiz_values(
            recommender,
            data,
            users,
            names,
            numbers,
            protocol=protocol,
            seed=chosen.seed,
            report=lambda done, total: print(
                f"\r{done}/{total}", end="\n" * (done == total), file=sys.stderr
            ),
        )
        rows = summarise(values)
        found[protocol] = {"rows": as_json(rows)}
        lines += ["", f"## {protocol}", "", f"{EXPLAINED[protocol]} {rows[0].users} users."]
        lines += ["", markdown(rows)]
        target = reached(values)
        if target:
            few, many, gap = target
            found[protocol] = {"rows": as_json(rows), "few_less_many": vars(gap)}
            lines += [
                "",
                f"`{DEFAULT_QUIZ}` after {FEW} questions: {few:.3f}; random questions after "
                f"{MANY}: {many:.3f}; difference {gap.mean:+.3f} "
                f"({gap.low:+.3f} to {gap.high:+.3f}, p = {gap.p_value:.4f}).",
            ]
    write_atomic(chosen.out.with_suffix(".json"), json.dumps(found, indent=1) + "\n")
    write_atomic(chosen.out.with_suffix(".md"), "\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
