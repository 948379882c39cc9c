"""Export pipeline: merge the adapter into the base model, write it, verify it."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.errors import ConfigError, ModelError
from coldstart.export.check import COMPARED, TOP, Check, ExportError, Original
from coldstart.export.ct2 import CTranslate2LM, need_ctranslate2, write_ctranslate2
from coldstart.export.gguf_file import check_writable, read_gguf, write_gguf
from coldstart.runtime.cache import new_folder, write_through

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from coldstart.generation.models.causal import CausalLM

DTYPES = ("float32", "float16", "bfloat16")
_OURS = {"merged": "config.json", "ctranslate2": "model.bin"}
"""File that identifies an earlier export: other folders are never replaced."""


@dataclass(frozen=True)
class ExportPlan:
    """Formats, paths and options of an export.

    Args:
        merged: output folder in Transformers' format.
        gguf: output file in GGUF.
        ctranslate2: output folder for CTranslate2.
        dtype: of the weights: ``float32``, ``float16`` or ``bfloat16``.
        ties: items may swap ranks if the original's log-probabilities differ by at most this, nats;
            rounded weights swap near ties.
        force: replace an existing export of the same kind.

    Raises:
        ConfigError: no output, or an existing one would be replaced.
    """

    merged: Path | None = None
    gguf: Path | None = None
    ctranslate2: Path | None = None
    dtype: str = "float32"
    ties: float = 0.0
    force: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ConfigError(f"dtype is {self.dtype!r}", hint=f"one of {', '.join(DTYPES)}")
        if not 0 <= self.ties < math.inf:
            raise ConfigError(f"ties is {self.ties}", hint="nats, 0 or more")
        if not self.wanted:
            raise ConfigError("nothing to export", hint="give --merged, --gguf or --ctranslate2")
        if len({path.resolve() for path in self.wanted.values()}) < len(self.wanted):
            raise ConfigError("two exports have the same name", hint="give each its own")
        for kind, path in self.wanted.items():
            self._check(kind, path)

    @property
    def wanted(self) -> dict[str, Path]:
        """Output path of each requested format."""
        all_kinds = {"merged": self.merged, "gguf": self.gguf, "ctranslate2": self.ctranslate2}
        return {kind: path for kind, path in all_kinds.items() if path is not None}

    def _check(self, kind: str, path: Path) -> None:
        if not path.exists() or (kind != "gguf" and path.is_dir() and not any(path.iterdir())):
            return
        same = path.is_file() if kind == "gguf" else (path / _OURS[kind]).is_file()
        if kind == "gguf" and same:
            with path.open("rb") as f:
                same = f.read(4) == b"GGUF"
        if not same:
            raise ConfigError(f"{path} exists and is no export of that kind", hint="another name")
        if not self.force:
            raise ConfigError(f"{path} exists", hint="--force replaces it; or give another name")


@dataclass(frozen=True)
class ExportedModel:
    """One verified export.

    Args:
        kind: ``merged``, ``gguf`` or ``ctranslate2``.
        path: of the file or folder.
        size: bytes.
        check: comparison with the original.
    """

    kind: str
    path: Path
    size: int
    check: Check


def export(
    artifact: Path, plan: ExportPlan, report: Callable[[str], object] = lambda line: None
) -> Iterator[ExportedModel]:
    """Write and verify the planned exports, one after the other.

    The original is the base model with the unmerged adapter, in float32. An export is loaded back,
    and renamed to its path only if the top ten of the catalog are equal for all three profiles (up
    to ties).

    Args:
        artifact: folder of the artifact.
        plan: formats, paths and options.
        report: receives progress, one line per step.

    Yields:
        Each export once it is in place.

    Raises:
        ExportError: the exported model ranks differently; its files are removed.
        ArtifactError: no artifact, or one of another base model.
        ModelError: the model is unsupported by the format.
        MissingExtraError: a library is not installed.
    """
    if "ctranslate2" in plan.wanted:
        need_ctranslate2()
    from coldstart.artifacts.loading import load_parts, load_unmerged
    from coldstart.recommender import Recommender

    report("loading the base model and the adapter")
    load = partial(load_unmerged, device="cpu", dtype="float32")
    recommender = Recommender(**vars(load_parts(artifact, None, load)))
    lm = recommender.pipeline.resources.model.lm
    if plan.gguf:
        check_writable(lm.model.config)
    report("asking the original about three profiles")
    original = Original(recommender)
    report("merging the adapter into the base model")
    name = str(recommender.manifest.get("name", "coldstart"))
    merged = _Merged(lm.model.merge_and_unload(), lm.tokenizer, plan.dtype, name)
    for kind, path in plan.wanted.items():
        report(f"writing {path}")
        yield _made(kind, path, partial(_checked, getattr(merged, kind), original, plan, path))


def _checked(
    write: Callable[[Path], Callable[[], CausalLM]],
    original: Original,
    plan: ExportPlan,
    path: Path,
    place: Path,
) -> Check:
    """Write the export of ``path`` to ``place``, load it back and compare it."""
    read = write(place)
    try:
        check = original.compare(read())
    except ModelError as e:
        raise ExportError(
            f"{path}: the exported model cannot be asked: {e.message}; nothing was kept", e.hint
        ) from e
    if check.displaced <= plan.ties:
        return check
    exact = plan.dtype == "float32"
    raise ExportError(
        f"{path}: the top {TOP} is not the original's (profiles: {', '.join(check.differs)}): "
        f"items {check.displaced:.2g} nats apart changed places, log-probabilities of {COMPARED} "
        f"titles differ by up to {check.difference:.2g}; nothing was kept",
        hint="the base model may be unfit for this format"
        if exact
        else f"that is what {plan.dtype} rounds off: --dtype float32, or --ties to allow it",
    )


def _made(kind: str, path: Path, write: Callable[[Path], Check]) -> ExportedModel:
    """Write beside ``path``, and rename to it after verification."""
    checks: list[Check] = []
    if kind == "gguf":
        write_through(path, lambda place: checks.append(write(place)))
    else:
        with new_folder(path) as work:
            checks.append(write(work))
            for file in filter(Path.is_file, work.rglob("*")):
                file.chmod(0o644)  # Transformers lets only the owner read its weights
    files = [path] if path.is_file() else path.rglob("*")
    return ExportedModel(kind, path, sum(p.stat().st_size for p in files if p.is_file()), checks[0])


class _Merged:
    """Merged model; each method writes one format, and returns a function that loads it back.

    Args:
        model: in float32.
        tokenizer: its tokenizer.
        dtype: of the written weights.
        name: model name in the metadata.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, dtype: str, name: str
    ) -> None:
        import torch

        self._model = model.to(getattr(torch, dtype))
        self._tokenizer, self._dtype, self._name = tokenizer, dtype, name

    def merged(self, folder: Path) -> Callable[[], CausalLM]:
        """Write in Transformers' format."""
        self._model.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)
        return partial(_read_merged, folder)

    def gguf(self, path: Path) -> Callable[[], CausalLM]:
        """Write one GGUF file."""
        write_gguf(self._model, self._tokenizer, path, self._dtype, self._name)
        return partial(read_gguf, path)

    def ctranslate2(self, folder: Path) -> Callable[[], CausalLM]:
        """Write for CTranslate2."""
        with tempfile.TemporaryDirectory(prefix="coldstart-") as tmp:
            self.merged(Path(tmp))
            write_ctranslate2(Path(tmp), folder, self._dtype)
        longest = int(getattr(self._model.config, "max_position_embeddings", 1 << 20))
        return partial(CTranslate2LM, folder, longest)


def _read_merged(folder: Path) -> CausalLM:
    from coldstart.generation.models.causal import CausalLM
    from coldstart.runtime.models import load_causal_lm, load_tokenizer

    model: Any = load_causal_lm(folder, device="cpu", dtype="float32")
    return CausalLM(model, load_tokenizer(folder))
