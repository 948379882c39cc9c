"""What one more tenant costs on a base model that is in memory already.

    python benchmarks/tenants.py --out docs/results/tenants

Tenants are copies of an artifact, each with a catalog of its own (some other items are left out)
and a slightly changed adapter, so that nothing is shared by accident. Each number of tenants is a
process of its own, which has every tenant make a list; so is each number of recommenders by
``Recommender.from_pretrained``, whose adapters are merged, for comparison. The kernel counts pages
that several processes map once: two processes with one tenant each show what they share.

A merged recommender and two tenants answer the same people in turn, so that a busy moment slows all
of them. Of the same people it is counted how many get the same ten items from both.
"""

from __future__ import annotations

import ctypes
import gc
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from results import Report, command_line, memory, table

from coldstart import Recommender, UserProfile
from coldstart.artifacts import format as artifacts
from coldstart.artifacts import loading
from coldstart.data import ml_100k
from coldstart.tenants.registry import TenantRegistry

COUNTS = (1, 2, 4, 8, 16)
DROPPED = 20
WEIGHTS = "adapter/adapter_model.safetensors"


def copies(artifact: Path, n: int, out: Path) -> list[Path]:
    """Write ``n`` artifacts that differ in catalog and adapter."""
    folders = []
    for tenant in range(n):
        rec = Recommender(**vars(loading.load_parts(artifact, None, lambda *_: None)))
        rng = np.random.default_rng(tenant)
        for item in rng.choice(list(rec.catalog.ids), DROPPED, replace=False):
            rec.catalog.remove(str(item))
        folders.append(out / f"tenant-{tenant}")
        rec.save_pretrained(folders[-1])
        manifest, files = artifacts.read(folders[-1])
        data = bytearray(files[WEIGHTS])
        data[-2 * (tenant + 1)] ^= 1  # the last bit of one number
        artifacts.save(folders[-1], manifest, files | {WEIGHTS: bytes(data)})
    return folders


def people(n: int) -> list[UserProfile]:
    """Real users with none to five of their likes."""
    data = ml_100k.load()
    users = sorted(data.users, key=int)[:n]
    return [
        UserProfile(**data.users[u].demographics(), liked=data.likes[u][: row % 6])
        for row, u in enumerate(users)
    ]


def in_memory() -> dict[str, float]:
    """Of this process, MB: resident, its fair share of it, and what nobody else could share."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    lines = (line.split() for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    pages = {line[0]: int(line[1]) / 1e3 for line in lines}
    return {"rss": memory("VmRSS"), "pss": pages["Pss:"], "anonymous": pages["Anonymous:"]}


def loader(folders: Sequence[Path], *, merged: bool) -> Callable[[int], Recommender]:
    """How the n-th tenant is got; all of them are kept."""
    if merged:
        return lambda n: Recommender.from_pretrained(folders[n])
    tenants = TenantRegistry(
        {str(n): folder for n, folder in enumerate(folders)}, most=len(folders)
    )
    return lambda n: tenants.get(str(n))


def hold(folders: Sequence[Path], merged: bool) -> dict[str, Any]:
    """Load so many tenants, have each make a list, and look at the memory."""
    get, kept = loader(folders, merged=merged), []
    user, loads, firsts = people(6)[-1], [], []
    for n in range(len(folders)):
        start = time.perf_counter()
        kept.append(get(n))
        loads.append(time.perf_counter() - start)
        start = time.perf_counter()
        kept[-1].recommend(user, unknown_picks="ignore")
        firsts.append(time.perf_counter() - start)
    found: dict[str, Any] = {"tenants": len(kept), "merged": merged}
    found |= {"get_s": loads, "first_list_s": firsts}
    found |= in_memory()
    print(json.dumps(found), flush=True)
    return found


def hold_beside(folder: Path, ready: Any) -> dict[str, float]:
    """Memory of a process with one tenant while another one has its own."""
    rec = loader([folder], merged=False)(0)
    rec.recommend(people(6)[-1], unknown_picks="ignore")
    ready.wait(300)
    found = in_memory()
    ready.wait(300)  # the other one has looked, too
    return found


def compare(folders: Sequence[Path], n: int) -> dict[str, Any]:
    """Times and lists of a merged recommender, and of tenants on a shared base."""
    merged, get = loader(folders, merged=True)(0), loader(folders, merged=False)
    users = people(n)
    asked: Mapping[str, Callable[[int], Recommender]] = {
        "merged": lambda _: merged,
        "tenant": lambda _: get(0),
        "alternating tenants": lambda row: get(row % len(folders)),
    }
    for which in asked.values():
        for row in range(len(folders)):
            which(row).recommend(users[0], unknown_picks="ignore")
    times: dict[str, list[float]] = {name: [] for name in asked}
    same = in_order = 0
    furthest = 0.0
    for row, user in enumerate(users):
        made = {}
        for name, which in asked.items():
            start = time.perf_counter()
            made[name] = which(row).recommend(user, unknown_picks="ignore")
            times[name].append(time.perf_counter() - start)
        one, other = made["merged"], made["tenant"]
        same += set(one.item_ids) == set(other.item_ids)
        in_order += one.item_ids == other.item_ids
        scores = {r.item_id: r.score for r in one}
        gaps = [abs(r.score - scores[r.item_id]) for r in other if r.item_id in scores]
        furthest = max([furthest, *gaps])
    return {
        "users": n,
        "median_ms": {name: 1e3 * float(np.median(t)) for name, t in times.items()},
        "same_ten": same,
        "same_order": in_order,
        "furthest_score": furthest,
    }


def apart(work: Callable[..., Any], *args: Any) -> Any:
    """Run something in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args).result()


def side_by_side(folders: Sequence[Path]) -> list[dict[str, float]]:
    """Memory of two processes with one tenant each, at the same time."""
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(2, spawn) as pool:
        ready = manager.Barrier(2)
        waiting = [pool.submit(hold_beside, folder, ready) for folder in folders[:2]]
        return [one.result() for one in waiting]


def slope(rows: Sequence[Mapping[str, Any]], field: str) -> float | None:
    """MB for one more tenant, by least squares."""
    if len(rows) < 2:
        return None
    return float(np.polyfit([r["tenants"] for r in rows], [r[field] for r in rows], 1)[0])


def main() -> None:
    """Measure and publish."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", type=Path, default="adapters/ml-100k")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="of tenants")
    parser.add_argument("--merged", type=int, default=2, help="merged recommenders, at most")
    parser.add_argument("--users", type=int, default=100)
    chosen = parser.parse_args()
    report = Report("Many tenants on one base model", "torch", "transformers", "peft")
    with tempfile.TemporaryDirectory(prefix="coldstart-") as tmp:
        folders = copies(chosen.artifact, max(*chosen.counts, 2), Path(tmp))
        for merged_too in (True, False):  # in the cache from now on, if they were not before
            apart(hold, folders[: chosen.merged if merged_too else 1], merged_too)
        shared = [apart(hold, folders[:n], False) for n in chosen.counts]
        merged = [apart(hold, folders[:n], True) for n in chosen.counts if n <= chosen.merged]
        beside = side_by_side(folders)
        lists = apart(compare, folders[:4], chosen.users)
    rows = [
        ["merged" if r["merged"] else "one base", r["tenants"], *(f"{r[f]:,.0f}" for f in FIELDS)]
        for r in (*shared, *merged)
    ]
    more = [
        [name, *(f"{x:,.1f}" if (x := slope(some, f)) is not None else None for f in FIELDS)]
        for name, some in (("one base", shared), ("merged", merged))
    ]
    cold = [s for r in shared for s in r["get_s"][1:]]
    firsts = [s for r in shared for s in r["first_list_s"][1:]]
    both = " and ".join(f"{one['pss']:,.0f}" for one in beside)
    first_gets = np.median([r["get_s"][0] for r in shared])
    text = [
        table(["adapters", "tenants", "VmRSS, MB", "PSS, MB", "anonymous, MB"], rows),
        "One more tenant, MB (least squares):",
        table(["adapters", "VmRSS", "PSS", "anonymous"], more),
        f"Two processes of one tenant each, at the same time: PSS {both} MB; the base model's "
        "pages are mapped from one file.",
        f"A tenant is got in {first_gets:.2f} s if it is the first (imports, base model) and in "
        f"{np.median(cold):.2f} s if the base is there; its first list then takes "
        f"{np.median(firsts):.2f} s (medians)."
        if cold
        else "",
        "A list of ten, strategy catalog, median:",
        table(["", "ms"], [[name, f"{ms:,.0f}"] for name, ms in lists["median_ms"].items()]),
        f"Of {lists['users']} users {lists['same_ten']} get the same ten items from a tenant as "
        f"from the merged recommender, {lists['same_order']} in the same order; scores differ by "
        f"{lists['furthest_score']:.3f} at most.",
    ]
    figures = {"shared": shared, "merged": merged, "beside": beside, "lists": lists}
    report.publish(chosen.out, [t for t in text if t], json.loads(json.dumps(figures)))


FIELDS = ("rss", "pss", "anonymous")

if __name__ == "__main__":
    main()
