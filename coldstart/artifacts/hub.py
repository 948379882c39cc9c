"""Artifacts on the Hugging Face Hub: download and upload."""

from __future__ import annotations

import json
import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coldstart.artifacts import format as artifacts
from coldstart.artifacts.model_card import hub_card
from coldstart.errors import ArtifactError, ColdstartError, ConfigError, FetchError
from coldstart.runtime.fetch import offline

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_WANTED = ["*.json", "*.jsonl", "*.safetensors", "*.j2", "*.md"]
"""Patterns of the files that are downloaded from a repository."""
_OURS = ["adapter/*", "prompt/*", "counts.safetensors", "ranker.json", "split.json"]
_OURS += ["catalog.jsonl", "scorers/*"]
"""Patterns of files of earlier uploads that an upload deletes if it lacks them."""


def is_repository(name: str | Path) -> bool:
    """True if a name denotes a hub repository: ``org/name``, and no local path."""
    return not Path(name).exists() and _NAME.fullmatch(str(name)) is not None


def find(name: str | Path, *, revision: str | None = None, token: str | None = None) -> Path:
    """Locate an artifact: a local folder, or a snapshot of a repository, downloaded once.

    Args:
        name: folder, or ``org/name`` on the hub; a folder takes precedence.
        revision: branch, tag or commit of the repository.
        token: access token; ``None``: that of ``hf auth login`` or ``HF_TOKEN``.

    Raises:
        ArtifactError: neither a folder nor a repository.
        ConfigError: a revision given for a folder.
        FetchError: the hub is unreachable, or denies access.
    """
    on_hub = is_repository(name)
    if revision is not None and not on_hub:
        raise ConfigError(
            f"revision {revision!r} is of a hub repository, and {name} is none",
            hint="leave it out for a folder; a repository is called org/name",
        )
    if not on_hub:
        return Path(name)
    from huggingface_hub import snapshot_download

    repo = str(name)
    with _explained(repo, revision, token):
        return Path(
            snapshot_download(
                repo,
                revision=revision,
                token=token,
                allow_patterns=_WANTED,
                local_files_only=offline(),
                library_name="coldstart-rec",
            )
        )


def push(folder: Path, repo: str, *, private: bool | None = None, token: str | None = None) -> str:
    """Upload an artifact in one commit; creates the repository if needed.

    Only the manifest, the files it lists and the model card are uploaded, not other files of the
    folder. They include the ids of the training users (``split.json``).

    Args:
        folder: the artifact.
        repo: ``org/name``.
        private: of a new repository; ``None``: as the organisation has it, mostly public.
        token: that may write; ``None``: that of ``hf auth login`` or ``HF_TOKEN``.

    Returns:
        Address of the commit.

    Raises:
        ArtifactError: no artifact, or a damaged one.
        ConfigError: not the name of a repository.
        FetchError: the hub could not be asked, or refused.
    """
    if not _NAME.fullmatch(repo):
        raise ConfigError(f"{repo!r} is no repository's name", hint="org/name, such as me/films")
    manifest, files = artifacts.read(folder)
    base = manifest["base"]["name"]
    if re.match(r"[/\\~.]|[A-Za-z]:", base):
        logging.getLogger(__name__).warning(
            "the base model is a folder of this machine, %s: others cannot load the artifact", base
        )
    from huggingface_hub import HfApi

    with tempfile.TemporaryDirectory(prefix="coldstart-") as tmp:
        for name, data in files.items():
            place = Path(tmp, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        text = json.dumps(manifest, indent=1, ensure_ascii=False)
        Path(tmp, artifacts.MANIFEST).write_text(text + "\n", encoding="utf-8")
        card = folder / artifacts.CARD
        written = card.read_text(encoding="utf-8") if card.is_file() else None
        Path(tmp, artifacts.CARD).write_text(hub_card(manifest, written), encoding="utf-8")
        with _explained(repo, None, token):
            api = HfApi(token=token, library_name="coldstart-rec")
            api.create_repo(repo, private=private, exist_ok=True)
            done = api.upload_folder(
                repo_id=repo,
                folder_path=tmp,
                commit_message="Upload with coldstart",
                delete_patterns=_OURS,
            )
    return str(getattr(done, "commit_url", done))


@contextmanager
def _explained(repo: str, revision: str | None, token: str | None) -> Iterator[None]:
    """Convert errors of the hub client to one-line errors, without tokens."""
    from huggingface_hub import errors, get_token

    log_in = "log in with `hf auth login`, or set HF_TOKEN"
    error: ColdstartError
    try:
        yield
    except errors.LocalTokenNotFoundError:
        error = FetchError("you are not logged in to the hub", log_in)
    except errors.GatedRepoError:
        error = FetchError(f"access to {repo} has to be asked for", hint="on its page on the hub")
    except errors.RepositoryNotFoundError:
        error = ArtifactError(
            f"{repo} is neither a folder here nor a repository you may read on the hub",
            hint=f"check the name; for a private one, {log_in}",
        )
    except errors.RevisionNotFoundError:
        error = ArtifactError(
            f"{repo} has no revision {revision!r}", hint="a branch, a tag or a commit of it"
        )
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled):
        error = FetchError(
            f"{repo} is no folder here, not in the hub's cache, and the hub did not give it",
            hint="check the name, the network, COLDSTART_OFFLINE and HF_HUB_OFFLINE; "
            "`coldstart train` makes a folder",
        )
    except errors.HFValidationError:
        error = ConfigError(f"{repo!r} is no repository's name", hint="org/name, such as me/films")
    except Exception as e:  # the client lets through what its transport raises
        status = getattr(getattr(e, "response", None), "status_code", None)
        if status in (401, 403):
            error = FetchError(f"the hub does not let you do that with {repo} ({status})", log_in)
        else:
            lines = [x.strip() for x in str(e).splitlines() if x.strip()]
            why = f"{type(e).__name__}: {lines[0]}" if lines else type(e).__name__
            for secret in filter(None, (token, get_token())):
                why = why.replace(secret, "…")
            error = FetchError(f"the hub and {repo}: {why[:300]}", hint="check the network")
    else:
        return
    raise error from None
