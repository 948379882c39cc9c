"""The end of a training: what was learned, how good it is, where it is, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from coldstart.cli import output
from coldstart.cli.train_progress import duration

_RIVAL = "the most popular items"
_TOO_FEW = "not compared: nothing that needs it was learned from this little data"


def show_summary(
    manifest: Mapping[str, Any], out: Path, seconds: float, following: Sequence[str]
) -> None:
    """Print the summary of a training on stdout.

    Args:
        manifest: of the artifact.
        out: its folder.
        seconds: that the training took.
        following: commands that make sense now.
    """
    rows = {
        "learned": learned(manifest),
        "how good": how_good(manifest),
        "where": [f"{out}, {_size(out)}, in {duration(seconds)}"],
        "next": list(following),
    }
    for name, lines in rows.items():
        for n, line in enumerate(lines):
            head = Text(f"{'' if n else name:<10} ", style="bold")
            # Commands are copied: no line is folded.
            output.stdout().print(head.append(line, style="not bold"), soft_wrap=True)


def learned(manifest: Mapping[str, Any]) -> list[str]:
    """What the training took in, and what it made of it, a line each."""
    if "refreshed" in manifest:
        from coldstart.training.refreshed import told

        return told(manifest)
    out = []
    data, split = manifest.get("data", {}), manifest.get("split", {})
    if data:
        from coldstart.training.crossfit import ENOUGH_USERS

        users = split.get("train", data["users"])
        both = "counts and trees" if users >= ENOUGH_USERS else "counts"
        out.append(
            f"{both} from {users:,} of {data['users']:,} users, with {data['likes']:,} likes in all"
        )
    if validation := manifest.get("validation"):
        best, epochs = validation["best_epoch"], len(validation["history"]) - 1
        if best > 0:
            out.append(f"a language model's adapter: epoch {best} of {epochs} ranked best")
        elif epochs > 0:
            out.append(
                "no adapter: no epoch ranked better for the validation users than what training "
                "started from; try more --epochs, or more users"
            )
    if asked := manifest.get("requests"):
        out.append(
            f"what people ask for from {asked['train']:,} requests, its weights from "
            f"{asked['blend_cases']:,} others"
        )
    return out


def how_good(manifest: Mapping[str, Any]) -> list[str]:
    """NDCG@10 on held-out users or requests beside the simplest rival, a line each."""
    out = []
    if "refreshed" in manifest:  # other figures are of the artifact that it was made of
        return _compared(manifest["refreshed"]) or [_TOO_FEW]
    if figures := manifest.get("validation", {}).get("ranker_ndcg@10"):
        users = manifest["split"]["valid"]
        for k in _picks(figures):
            picks = "without picks" if k == 0 else f"with {k} pick{'' if k == 1 else 's'}"
            value, rival = figures[f"catalog_k{k}"], figures.get(f"popularity_k{k}")
            out.append(_beside(value, rival, f"on {users:,} validation users {picks}"))
    if figures := manifest.get("requests", {}).get("validation"):
        where = f"on the {figures['cases']:,} requests that set the weights"
        out.append(_beside(figures["ndcg@10"], figures["popularity_ndcg@10"], where))
    return out or [_TOO_FEW]


def _compared(refreshed: Mapping[str, Any]) -> list[str]:
    """What was learned on top of an artifact, on the held-out ones that chose what is kept."""
    found, out = refreshed["comparisons"], []
    if taste := found.get("trees"):
        where = f"on {taste['users']:,} held-out users, by whom it was chosen"
        out.append(_beside(taste[taste["kept"]], refreshed.get("popularity"), where))
    if asked := found.get("requests"):
        where = f"on the requests of {asked['users']:,} held-out people"
        before = f"; without what requests teach {asked['before']:.3f}"
        kept = asked[asked["kept"]]
        out.append(_beside(kept, None, where) + before * (asked["kept"] == "after"))
    return out


def _picks(figures: Mapping[str, float]) -> list[int]:
    return sorted(int(name[9:]) for name in figures if name.startswith("catalog_k"))


def _beside(value: float, rival: float | None, where: str) -> str:
    text = f"NDCG@10 {value:.3f} {where}"
    if rival is None:
        return text
    gain = f" ({value / rival - 1:+.0%})" if rival > 0 else ""
    worse = "; no better than these" if value <= rival else ""
    return f"{text}; {_RIVAL} have {rival:.3f}{gain}{worse}"


def _size(folder: Path) -> str:
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{total / 1e6:.1f} MB"


def evaluated_by(out: Path, given: Mapping[str, object]) -> str:
    """The command that evaluates the artifact on the test users of its split.

    Args:
        out: its folder.
        given: options of the data that it was trained on.
    """
    from coldstart.cli.options import command_line

    return command_line(f"evaluate {shlex.quote(str(out))}", dict(given))
