"""Many recommenders on one copy of each base model: an adapter and a catalog for each tenant."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from coldstart.artifacts import loading
from coldstart.artifacts.hub import find
from coldstart.errors import ConfigError, ModelError
from coldstart.protocols import Encoder
from coldstart.recommender import Recommender

if TYPE_CHECKING:
    from coldstart.generation.models.adapted import SharedBase
    from coldstart.generation.models.causal import CausalLM

log = logging.getLogger(__name__)


class Tenants:
    """Recommenders by name, loaded when first asked for; safe to use from several threads.

    Those with the same base model share its weights, its tokenizer and, by name, the sentence
    encoder; each has its own adapter, catalog, counts and ranker. Lists are those of the artifact's
    own ``Recommender.from_pretrained`` but for rounding: the adapter is run beside the base model's
    weights, not merged into them. An adapter that is more than plain LoRA matrices is merged into a
    model of its own, and a line of the log says so.

        tenants = Tenants({"films": "adapters/ml-100k", "shop": "adapters/mine"}, most=4)
        tenants.get("films").recommend({"about": "slow-burn stories"})

    One recommender is for one thread at a time, as always; different ones may be used at once.

    Args:
        artifacts: folder, or ``org/name`` on the Hugging Face Hub, by tenant.
        most: tenants kept at a time; the least recently asked for goes first. Whoever still holds
            a recommender that went may go on using it.
        device: where the language models run; see ``Recommender.from_pretrained``.
        dtype: their number format; as there.

    Raises:
        ConfigError: no artifacts, or ``most`` is less than 1.
    """

    def __init__(
        self,
        artifacts: Mapping[str, str | Path],
        *,
        most: int = 8,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        if not artifacts:
            raise ConfigError("there are no tenants", hint="give an artifact for each name")
        if most < 1:
            raise ConfigError(f"most is {most}, expected at least 1")
        self.artifacts, self.most = dict(artifacts), most
        self._device, self._dtype = device, dtype
        self._kept: OrderedDict[str, Recommender] = OrderedDict()
        self._bases: WeakValueDictionary[tuple[str, str], SharedBase] = WeakValueDictionary()
        self._encoders: WeakValueDictionary[str, Encoder] = WeakValueDictionary()
        self._lock = threading.Lock()  # of the tables; held for a moment only
        self._loading = {name: threading.Lock() for name in self.artifacts}
        self._making = threading.Lock()  # of base models, one at a time

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the tenants that are kept, the one asked for last at the end."""
        with self._lock:
            return tuple(self._kept)

    def get(self, name: str) -> Recommender:
        """A tenant's recommender, loaded if it is not kept; others are not kept waiting.

        Raises:
            ConfigError: no tenant of that name.
            ArtifactError: the artifact is missing, damaged, or of another base model.
            FetchError: something could not be downloaded.
        """
        self._check(name)
        with self._loading[name]:  # whoever else wants the same one waits for it
            with self._lock:
                if name in self._kept:
                    self._kept.move_to_end(name)
                    return self._kept[name]
            made = self.load(name)
            with self._lock:
                self._kept[name] = made
                while len(self._kept) > self.most:
                    self._kept.popitem(last=False)
            return made

    def drop(self, name: str) -> None:
        """Keep a tenant no longer; it is loaded anew when it is next asked for.

        Raises:
            ConfigError: no tenant of that name.
        """
        self._check(name)
        with self._lock:
            self._kept.pop(name, None)

    def load(self, name: str) -> Recommender:
        """A tenant's recommender, made anew and not kept. Raises as ``get``."""
        self._check(name)
        folder = find(self.artifacts[name])
        parts = loading.load_parts(folder, None, self._lm)
        with self._lock:
            encoder = self._encoders.setdefault(parts.manifest["encoder"]["name"], parts.encoder)
        return Recommender(**vars(replace(parts, encoder=encoder)))

    def _check(self, name: str) -> None:
        if name not in self.artifacts:
            raise ConfigError(
                f"no tenant {name!r}", hint=f"there are {', '.join(sorted(self.artifacts))}"
            )

    def _lm(self, name: str, fingerprint: str, files: Mapping[str, bytes]) -> CausalLM:
        """The base model with an adapter beside it, or merged into a model of its own."""
        from coldstart.generation.models.lora import LoRA
        from coldstart.runtime.hardware import pick_device, pick_dtype

        where = pick_device(self._device)
        try:
            lora = LoRA.read(files, where, pick_dtype(where, self._dtype))
            return self._base(name, fingerprint).with_adapter(lora)
        except ModelError as e:
            log.warning("an adapter of %s does not run beside the base model: %s", name, e)
        return loading.load_adapted(
            name, fingerprint, files, device=self._device, dtype=self._dtype
        )

    def _base(self, name: str, fingerprint: str) -> SharedBase:
        from coldstart.generation.models.adapted import SharedBase

        with self._making:
            found = self._bases.get((name, fingerprint))
            if found is None:
                lm = _load_base(name, fingerprint, device=self._device, dtype=self._dtype)
                found = self._bases[name, fingerprint] = SharedBase(lm)
            return found


def _load_base(name: str, fingerprint: str, *, device: str, dtype: str) -> CausalLM:
    """A base model without an adapter; on a CPU, at once if it was kept before."""
    from coldstart.generation.models import cached
    from coldstart.generation.models.causal import CausalLM
    from coldstart.runtime.hardware import pick_device, pick_dtype, use_all_cores

    def whole() -> CausalLM:
        return CausalLM(*loading.load_base(name, fingerprint, device=device, dtype=dtype))

    where = pick_device(device)
    if where.type != "cpu":
        return whole()
    use_all_cores()
    folder = cached.decoder_folder(name, fingerprint, {}, pick_dtype(where, dtype))
    try:
        return cached.load_decoder(
            folder, whole
        )  # its weights are mapped: processes share them, too
    except ModelError:  # not kept yet, or damaged
        lm = whole()
        cached.store_decoder(lm, folder)
    try:
        return cached.load_decoder(folder, whole)
    except ModelError:  # of a kind that cannot be kept
        return lm
