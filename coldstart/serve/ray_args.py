"""Arguments of the Ray Serve application: artifacts, store, device and limits."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from coldstart.artifacts.format import MANIFEST
from coldstart.errors import ArtifactError, ConfigError
from coldstart.serve.settings import ServeSettings

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

DEFAULT_MODEL = "default"
"""Value of ``{model}`` in the store's URL for requests that name no model."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
Name = Annotated[str, StringConstraints(pattern=rf"^{_NAME.pattern}$")]


class AppArgs(BaseModel):
    """``args`` of the Serve config file.

    Args:
        artifact: folder or ``org/name`` on the Hugging Face Hub, for requests that name no model.
        models: artifacts by model name, selected by the header ``serve_multiplexed_model_id``. A
            name is up to 63 lower-case letters, digits, ``_`` and ``-``.
        root: folder whose subfolders are artifacts; the model name is the folder name.
        most_models: maximum number of models per replica; the least recently used one is evicted.
        db: SQLite file or database URL, as for ``coldstart serve``; with models it must contain
            ``{model}``, so that stores are isolated. Default: the environment variable
            ``COLDSTART_DB`` of the replica, which is the place for a password.
        device: device of the language models.
        dtype: number format of their weights.
        loader: ``module:function`` that loads a recommender from an artifact folder, for custom
            components.
        settings: limits of a replica; fields of ``ServeSettings``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    artifact: str | None = None
    models: dict[Name, str] = Field(default_factory=dict)
    root: str | None = None
    most_models: int = Field(default=3, ge=1)
    db: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    loader: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$")
    settings: ServeSettings = ServeSettings()

    @classmethod
    def read(cls, given: Mapping[str, Any] | AppArgs) -> AppArgs:
        """Parse and validate ``args`` of a config file.

        Raises:
            ConfigError: a field is unknown, missing, of the wrong type or out of range; or fields
                are inconsistent.
        """
        try:
            args = cls.model_validate(given)
        except ValidationError as e:
            problems = "; ".join(f"{'.'.join(map(str, x['loc']))}: {x['msg']}" for x in e.errors())
            raise ConfigError(f"args: {problems}", hint="docs/deploy.md lists them") from None
        args._check()
        return args

    @property
    def multiplexed(self) -> bool:
        """Whether requests can name a model (model multiplexing)."""
        return bool(self.models or self.root)

    def folder_of(self, name: str) -> str | None:
        """Artifact folder of a model; ``None`` if there is no such model.

        Names with characters other than letters, digits, ``_`` and ``-`` are rejected, which
        prevents path traversal out of ``root``.
        """
        if not _NAME.fullmatch(name) or name == DEFAULT_MODEL:
            return None
        if name in self.models:
            return self.models[name]
        inside = Path(self.root, name) if self.root else None
        return str(inside) if inside and (inside / MANIFEST).is_file() else None

    def url_of(self, name: str) -> str:
        """Database URL of a model's store."""
        db = (self.db or os.environ.get("COLDSTART_DB") or "coldstart.db").replace("{model}", name)
        return db if "://" in db else f"sqlite:///{os.path.abspath(db)}"

    def check_nodes(self, nodes: int) -> None:
        """Reject a store that replicas on several nodes cannot share.

        Args:
            nodes: number of nodes of the cluster.

        Raises:
            ConfigError: SQLite with more than one node.
        """
        if nodes > 1 and self.url_of(DEFAULT_MODEL).startswith("sqlite"):
            raise ConfigError(
                f"the store is a SQLite file, and the cluster has {nodes} nodes: each would have"
                " people of its own",
                hint="set db, or COLDSTART_DB, to postgresql+psycopg://user@host/database",
            )

    def load(self) -> Callable[[str], Recommender]:
        """Function that loads a recommender from an artifact folder.

        Multiplexed models share base models and encoders, with unmerged adapters; a single artifact
        has its adapter merged, as in ``coldstart serve``. Raises as
        ``Recommender.from_pretrained``.
        """
        if self.loader:
            return _function(self.loader)
        if self.multiplexed:
            return _shared_loader(self.device, self.dtype)
        from coldstart.recommender import Recommender

        return partial(Recommender.from_pretrained, device=self.device, dtype=self.dtype)

    def _check(self) -> None:
        if not (self.artifact or self.multiplexed):
            raise ConfigError(
                "args: nothing to serve", hint="give artifact, models or root; see docs/deploy.md"
            )
        if DEFAULT_MODEL in self.models:
            raise ConfigError(
                f"args: models.{DEFAULT_MODEL}: the name is taken by whoever names no model",
                hint="call it otherwise, or give it as artifact",
            )
        if self.multiplexed and self.url_of("a") == self.url_of("b"):
            raise ConfigError(
                "args: db: all models would share one store, and see each other's people",
                hint="put {model} into it, as in /data/{model}.db",
            )
        if self.root and not Path(self.root).is_dir():
            raise ConfigError(f"args: root: no folder {self.root}", hint=_path_hint(self.root))
        if self.loader:
            _function(self.loader)
        else:
            for folder in filter(None, (self.artifact, *self.models.values())):
                _check_artifact(folder)


def _shared_loader(device: str, dtype: str) -> Callable[[str], Recommender]:
    from coldstart.tenants.registry import TenantRegistry

    tenants = TenantRegistry({"": ""}, device=device, dtype=dtype)

    def load(folder: str) -> Recommender:
        tenants.artifacts[folder] = folder  # a folder of ``root`` may be newer than the replica
        return tenants.load(folder)

    return load


def _check_artifact(name: str) -> None:
    """Reject a folder that is not an artifact; Hub names are checked when they are loaded."""
    folder = Path(name)
    if not (folder / MANIFEST).is_file() and (folder.exists() or not _HUB.fullmatch(name)):
        raise ArtifactError(f"no artifact at {name}: {MANIFEST} is missing", hint=_path_hint(name))


def _path_hint(path: str) -> str:
    return "check the path" if Path(path).is_absolute() else f"it is looked for in {os.getcwd()}"


def _function(name: str) -> Callable[[str], Recommender]:
    module, _, attribute = name.partition(":")
    try:
        return cast("Callable[[str], Recommender]", getattr(import_module(module), attribute))
    except (ImportError, AttributeError) as e:
        raise ConfigError(f"args: loader: {e}", hint="module:function, importable here") from None
