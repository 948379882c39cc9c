"""Golden lists: recommendations recorded before a refactoring, and checked after every step of it.

``python -m coldstart.testing.golden record`` writes lists of 200 requests × strategies for every
golden artifact; ``… check`` recommends again and compares ids, scores, contributions, reasons and
what was dropped. A recording made on one processor passes on another: language models run in
float32, and two items may change places only where their scores are equal up to rounding.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coldstart.errors import ColdstartError, ConfigError
from coldstart.recommender import Recommender
from coldstart.schema import RecommendationList
from coldstart.testing.golden_requests import GoldenRequest, golden_requests

STRATEGIES = ("prior", "catalog", "free", "both")
TOLERANCE = {"prior": 1e-6, "catalog": 2e-5, "free": 2e-5, "both": 2e-5}
"""Relative difference of scores (of 1, where they are smaller) that is rounding.

``prior`` is float64 over float32 vectors. The others add float32 log-probabilities of a language
model; measured on one machine with AVX-512, AVX2 and plain kernels.
"""
_DIGITS = 10  # significant, of recorded scores


@dataclass(frozen=True)
class Golden:
    """One recording.

    Args:
        name: of its file, ``NAME.json.gz``.
        artifact: folder, relative to the repository.
        settings: changes of the artifact's ``Settings``.
        strategies: which are recorded.
    """

    name: str
    artifact: str
    settings: dict[str, Any]
    strategies: tuple[str, ...] = STRATEGIES

    def load(self, root: Path) -> Recommender:
        """The recommender, its language model in float32 on the CPU."""
        rec = Recommender.from_pretrained(root / self.artifact, device="cpu", dtype="float32")
        rec.settings = replace(rec.settings, **self.settings)
        return rec


GOLDENS = (
    Golden("ml-100k", "adapters/ml-100k", {}),
    Golden("ml-100k-retrieval", "adapters/ml-100k", {"pool_from": 500}, ("prior",)),
    Golden("small", "tests/data/small/artifact", {}),
    Golden("small-retrieval", "tests/data/small/artifact", {"pool_from": 2}),
)


def answer(rec: Recommender, request: GoldenRequest, strategy: str) -> dict[str, Any]:
    """Recommend, and keep what must not change."""
    try:
        options: Any = {"strategy": strategy, **request.options}
        profile, context = _by_id(request.profile, rec), _by_id(request.context, rec)
        found = rec.recommend(profile, context, filters=request.make_filters(), **options)
    except ColdstartError as e:
        return {"error": f"{type(e).__name__}: {e}"}
    return _as_data(found)


def _by_id(given: dict[str, Any], rec: Recommender) -> dict[str, Any]:
    """Mark the picks that are ids as such: recorded ones are, also where a title looks alike."""
    made = dict(given)
    for name in ("liked", "disliked", "seen", "viewing"):
        if name in made:
            picks = [made[name]] if name == "viewing" else made[name]
            picks = [{"item": p, "by": "id"} if p in rec.catalog else p for p in picks]
            made[name] = picks[0] if name == "viewing" else picks
    return made


def _as_data(found: RecommendationList) -> dict[str, Any]:
    return {
        "ids": list(found.item_ids),
        "scores": [_short(r.score) for r in found],
        "contributions": [
            {n: _short(v) for n, v in r.provenance.contributions.items()} for r in found
        ],
        "reasons": [r.reason for r in found],
        "written": [r.provenance.generated_text for r in found],
        "dropped": [[d.item_id, d.filter, d.detail] for d in found.dropped],
        "dropped_counts": found.dropped_counts,
        "notes": list(found.notes),
        "generated": found.generated,
        "abstained": found.abstained,
        "prompt": found.prompt,
    }


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def record(
    golden: Golden, root: Path, folder: Path, n: int, seed: int = 0, *, texts_only: bool = False
) -> Path:
    """Write the lists of one recording.

    Args:
        golden: what to record.
        root: of the repository.
        folder: where recordings are.
        n: number of requests.
        seed: of the requests.
        texts_only: whether to keep the earlier recording of requests without text, as after a
            change on purpose of what is read in texts.
    """
    rec = golden.load(root)
    requests = golden_requests(rec.catalog, n, seed)
    path = folder / f"{golden.name}.json.gz"
    before = json.loads(gzip.decompress(path.read_bytes())) if texts_only else []
    kept = {json.dumps(row["request"], sort_keys=True): row for row in before}
    rows = []
    for at, request in enumerate(requests, start=1):
        row = kept.get(json.dumps(request.to_dict(), sort_keys=True))
        if row is None or request.has_text:
            answers = {s: answer(rec, request, s) for s in golden.strategies}
            row = {"request": request.to_dict(), "answers": answers}
        rows.append(row)
        _progress(golden.name, at, len(requests))
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    return path


def check(
    golden: Golden, root: Path, folder: Path, *, every: int = 1, loose: float = 1.0
) -> list[str]:
    """Recommend again and compare.

    Args:
        golden: which recording.
        root: of the repository.
        folder: where recordings are.
        every: compare each so-many-th request only.
        loose: factor of the tolerance.

    Returns:
        What differs, a line each.

    Raises:
        ConfigError: there is no such recording.
    """
    path = folder / f"{golden.name}.json.gz"
    if not path.is_file():
        raise ConfigError(
            f"no recording at {path}",
            hint="make it from the code before your change: python -m coldstart.testing.golden "
            "record",
        )
    rows = json.loads(gzip.decompress(path.read_bytes()))[::every]
    rec = golden.load(root)
    out = []
    for at, row in enumerate(rows, start=1):
        request = GoldenRequest(**row["request"])
        for strategy, before in row["answers"].items():
            now = answer(rec, request, strategy)
            where = f"{golden.name}, {request.kind} {request.profile}, {strategy}"
            differing = differences(before, now, loose * TOLERANCE[strategy])
            out += [f"{where}: {line}" for line in differing]
        _progress(golden.name, at, len(rows))
    return out


def differences(before: dict[str, Any], now: dict[str, Any], tolerance: float) -> Iterator[str]:
    """What two answers differ in beyond rounding, a line each.

    Args:
        before: as recorded.
        now: as found.
        tolerance: relative, of scores.
    """
    if "error" in before or "error" in now:
        if before != now:
            yield f"{before.get('error', 'a list')} became {now.get('error', 'a list')}"
        return
    for name in ("notes", "generated", "abstained", "prompt"):
        if before[name] != now[name]:
            yield f"{name} was {before[name]!r}, is {now[name]!r}"
    if len(before["ids"]) != len(now["ids"]):
        yield f"had {len(before['ids'])} items, has {len(now['ids'])}"
        return
    moved = False
    for rank, (old, new) in enumerate(zip(before["scores"], now["scores"], strict=True), start=1):
        if not _near(old, new, tolerance):
            yield f"score at rank {rank} was {old}, is {new}"
        moved |= before["ids"][rank - 1] != now["ids"][rank - 1]
    if not moved:
        for name in ("dropped", "dropped_counts"):
            if before[name] != now[name]:
                yield f"{name} was {before[name]!r}, is {now[name]!r}"
    yield from _items(before, now, tolerance)


def _items(before: dict[str, Any], now: dict[str, Any], tolerance: float) -> Iterator[str]:
    """Items that are in other places with other scores, or whose explanation differs."""
    at_now = {item: at for at, item in enumerate(now["ids"])}
    last = before["scores"][-1] if before["scores"] else 0.0
    for at, item in enumerate(before["ids"]):
        old = before["scores"][at]
        if item not in at_now:
            if not _near(old, last, tolerance):
                yield f"item {item} (rank {at + 1}) is missing"
            continue
        place = at_now[item]
        if place != at and not _near(old, now["scores"][place], tolerance):
            yield f"item {item} moved from rank {at + 1} to {place + 1}"
        for name in ("reasons", "written"):
            if before[name][at] != now[name][place]:
                yield f"{name} of {item}: was {before[name][at]!r}, is {now[name][place]!r}"
        old_parts, parts = before["contributions"][at], now["contributions"][place]
        if old_parts.keys() != parts.keys():
            yield f"contributions of {item} were {sorted(old_parts)}, are {sorted(parts)}"
        for name in sorted(old_parts.keys() & parts.keys()):
            if not _near(old_parts[name], parts[name], tolerance):
                yield f"{name} of {item} was {old_parts[name]}, is {parts[name]}"


def _near(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance * max(1.0, abs(one))


def _progress(name: str, done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total or done % 20 == 0:
        end = "\n" if done == total or not sys.stderr.isatty() else "\r"
        print(f"{name}: {done}/{total}", end=end, file=sys.stderr, flush=True)  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``record`` or ``check``; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m coldstart.testing.golden", description=__doc__)
    parser.add_argument("command", choices=("record", "check"))
    names = [g.name for g in GOLDENS]
    parser.add_argument("--only", action="append", choices=names, help="one recording; repeatable")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: here)")
    parser.add_argument("--folder", type=Path, help="of recordings (default: tests/data/golden)")
    parser.add_argument("--every", type=int, default=1, help="check each so-many-th request only")
    parser.add_argument("-n", type=int, default=200, help="requests to record (default: 200)")
    parser.add_argument(
        "--texts", action="store_true", help="record requests with a text only, keep the others"
    )
    args = parser.parse_args(argv)
    folder = args.folder or args.root / "tests" / "data" / "golden"
    chosen = [g for g in GOLDENS if not args.only or g.name in args.only]
    if args.command == "record":
        for golden in chosen:
            print(record(golden, args.root, folder, args.n, texts_only=args.texts))  # noqa: T201
        return 0
    bad = [line for g in chosen for line in check(g, args.root, folder, every=args.every)]
    for line in bad[:50]:
        print(line)  # noqa: T201
    print(f"{len(bad)} differences" if bad else "the lists are as recorded")  # noqa: T201
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
