"""Cross-validation by user: as many splits as folds; every user is tested exactly once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from coldstart.errors import ConfigError, DataError
from coldstart.runtime.cache import write_atomic
from coldstart.splitting.user_splits import Split, shuffled_ids

_PARTS = ("train", "valid", "test")


def user_folds(
    users: Iterable[str], folds: int = 5, seed: int = 0, valid: float = 0.1
) -> tuple[Split, ...]:
    """Cut shuffled users into ``folds`` test parts; the other users validate or train.

    The order of ``users`` does not matter. The first of five folds is what ``split_users`` gives.

    Args:
        users: everyone, once.
        folds: number of test parts, at least 2; their sizes differ by one at most.
        seed: of the shuffling.
        valid: share of all users, at least 0, that is taken out of each training part.

    Raises:
        ConfigError: a fold would have no test or no training users.
        DataError: a user is named twice.
    """
    mixed = shuffled_ids(users, seed)
    total, n_valid = len(mixed), int(valid * len(mixed))
    if not 2 <= folds <= total:
        raise ConfigError(f"{total} users make no {folds} folds", hint="2 to as many as users")
    out = []
    for fold in range(folds):
        start, end = total * fold // folds, total * (fold + 1) // folds
        test, others = mixed[start:end], mixed[end:] + mixed[:start]
        if not 0 <= n_valid < len(others):
            raise ConfigError(
                f"valid is {valid:g}: {n_valid} of {len(others)} training users",
                hint=f"give a share from 0 to below {1 - 1 / folds:g}",
            )
        out.append(Split(others[n_valid:], others[:n_valid], test))
    return tuple(out)


def folds_fingerprint(splits: Sequence[Split]) -> str:
    """SHA-256 (hexadecimal) of all lists, in their order."""
    lists = json.dumps([asdict(split) for split in splits], sort_keys=True)
    return hashlib.sha256(lists.encode()).hexdigest()


def save_folds(path: Path, splits: Sequence[Split]) -> None:
    """Write ``{"fingerprint": …, "folds": [{"train": […], "valid": […], "test": […]}, …]}``."""
    _check(splits)
    data = {"fingerprint": folds_fingerprint(splits), "folds": [asdict(s) for s in splits]}
    write_atomic(path, json.dumps(data, indent=1) + "\n")


def load_folds(path: Path) -> tuple[Split, ...]:
    """Read what ``save_folds`` wrote.

    Raises:
        DataError: no such file, not of this form, or changed since it was written.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        parts = [[tuple(map(str, fold[p])) for p in _PARTS] for fold in data["folds"]]
        splits = tuple(Split(*lists) for lists in parts)
        found, said = folds_fingerprint(splits), data["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise DataError(
            f"{path} is no file of folds: {e}", hint="expected what save_folds writes"
        ) from e
    if found != said:
        raise DataError(
            f"{path} was changed: its fingerprint is {str(said)[:12]}…, its lists give "
            f"{found[:12]}…",
            hint="make the folds again, or take the file from where it was published",
        )
    _check(splits)
    return splits


def _check(splits: Sequence[Split]) -> None:
    tested = [user for split in splits for user in split.test]
    for split in splits:
        if sorted(tested) != sorted([*split.train, *split.valid, *split.test]):
            raise DataError(
                "the folds do not test everyone exactly once", hint="make them with user_folds"
            )
