"""Sharing: through a stand-in of the hub's client, and its real client against a local server."""

from __future__ import annotations

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import polars as pl
import pytest
import torch
from huggingface_hub import errors
from huggingface_hub.utils import filter_repo_objects
from peft import PeftModel
from transformers import AutoModelForCausalLM

from coldstart import Item, Recommender, UserProfile
from coldstart.artifacts import format as artifacts
from coldstart.artifacts.hub import find, push
from coldstart.artifacts.model_card import hub_card
from coldstart.batch.plan import PLAN_FILE as PLAN
from coldstart.cli import main
from coldstart.errors import ArtifactError, ColdstartError, ConfigError, FetchError
from coldstart.runtime.models import quietly
from coldstart.training.run import train
from tests.toy import save_tiny_base, toy_config, toy_dataset, toy_split

TOKEN = "hf_AVerySecretTokenOfMine"
PERSON = UserProfile(liked=["Toy Story", "Star Wars"])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """An artifact, and its base model beside it."""
    where = tmp_path_factory.mktemp("hub")
    base = save_tiny_base(where / "base")
    config = toy_config(base, prompt="catalog-en", epochs=1)
    train(toy_dataset(), toy_split(), config, where / "artifact", runs=where / "run")
    return where / "artifact"


class Hub:
    """Repositories in a folder: one folder per revision, ``main`` moving on with each upload."""

    def __init__(self, root: Path) -> None:
        self.root, self.private, self.seen = root, set(), []

    def files(self, repo: str, revision: str = "main") -> set[str]:
        top = self.root / repo / revision
        return {str(p.relative_to(top)) for p in top.rglob("*") if p.is_file()}

    def api(self, token: str | None = None, **about: str) -> SimpleNamespace:
        assert about == {"library_name": "coldstart-rec"}

        def create_repo(repo: str, *, private: bool | None, exist_ok: bool) -> None:
            assert exist_ok
            if token != TOKEN:
                raise errors.HfHubHTTPError(f"401 {token}", response=response(401))
            if not (self.root / repo).exists():
                (self.root / repo / "main").mkdir(parents=True)
                self.private |= {repo} if private else set()

        def upload_folder(
            *, repo_id: str, folder_path: str, commit_message: str, delete_patterns: list[str]
        ) -> SimpleNamespace:
            assert commit_message
            main = self.root / repo_id / "main"
            for old in filter_repo_objects(self.files(repo_id), allow_patterns=delete_patterns):
                (main / old).unlink()
            shutil.copytree(folder_path, main, dirs_exist_ok=True)
            commit = f"c{len(list(main.parent.iterdir()))}"
            shutil.copytree(main, main.parent / commit)
            return SimpleNamespace(commit_url=f"https://hub.example/{repo_id}/commit/{commit}")

        return SimpleNamespace(create_repo=create_repo, upload_folder=upload_folder)

    def snapshot_download(
        self,
        repo: str,
        *,
        revision: str | None,
        token: str | None,
        allow_patterns: list[str],
        local_files_only: bool,
        library_name: str,
    ) -> str:
        """As the client does: names in a snapshot are links to files in another folder."""
        self.seen.append((repo, revision))
        cached = self.root.parent / "cache" / repo.replace("/", "--") / (revision or "main")
        if local_files_only:
            if not cached.exists():
                raise errors.LocalEntryNotFoundError("outgoing traffic has been disabled")
            return str(cached)
        if not (self.root / repo).exists() or (repo in self.private and token != TOKEN):
            raise errors.RepositoryNotFoundError(f"404 for {token}", response=response(404))
        source = self.root / repo / (revision or "main")
        if not source.exists():
            raise errors.RevisionNotFoundError("404", response=response(404))
        shutil.rmtree(cached, ignore_errors=True)
        names = self.files(repo, revision or "main")
        for n, name in enumerate(filter_repo_objects(sorted(names), allow_patterns=allow_patterns)):
            blob = cached.parent / "blobs" / f"{n}-{revision}"
            blob.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, blob)
            (cached / name).parent.mkdir(parents=True, exist_ok=True)
            (cached / name).symlink_to(blob)
        return str(cached)


def response(status: int) -> SimpleNamespace:
    return SimpleNamespace(headers={}, request=None, status_code=status)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    made = Hub(tmp_path / "hub")
    made.root.mkdir()
    monkeypatch.setattr(huggingface_hub, "HfApi", made.api)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", made.snapshot_download)
    monkeypatch.delenv("COLDSTART_OFFLINE", raising=False)
    monkeypatch.chdir(tmp_path)
    return made


def test_what_is_pushed_comes_back(saved, hub):
    rec = Recommender.from_pretrained(saved)
    address = rec.push_to_hub("me/films", token=TOKEN)
    assert address == "https://hub.example/me/films/commit/c1"
    again = Recommender.from_pretrained("me/films")
    assert again.recommend(PERSON) == rec.recommend(PERSON)
    rec.catalog.add(Item(item_id="new", title="A Brand New Film"))
    rec.push_to_hub("me/films", token=TOKEN)
    assert "new" in Recommender.from_pretrained("me/films").catalog
    assert "new" not in Recommender.from_pretrained("me/films", revision="c1").catalog


def test_a_private_repository_takes_a_token(saved, hub):
    push(saved, "me/films", private=True, token=TOKEN)
    with pytest.raises(ArtifactError, match="neither a folder here nor a repository"):
        Recommender.from_pretrained("me/films")
    assert Recommender.from_pretrained("me/films", token=TOKEN).catalog


def test_a_local_folder_wins(saved, hub, tmp_path):
    push(saved, "me/films", token=TOKEN)
    shutil.copytree(saved, tmp_path / "me" / "films")
    assert Recommender.from_pretrained("me/films").catalog
    assert not hub.seen
    with pytest.raises(ConfigError, match="revision 'v1' is of a hub repository"):
        Recommender.from_pretrained("me/films", revision="v1")


def test_only_the_artifact_is_uploaded_and_what_it_lacks_is_removed(saved, hub, tmp_path):
    folder = shutil.copytree(saved, tmp_path / "artifact")
    (folder / "passwords.txt").write_text("hunter2")
    (hub.root / "me/films/main/prompt").mkdir(parents=True)
    (hub.root / "me/films/main/prompt/older.j2").write_text("gone")
    (hub.root / "me/films/main/notes.md").write_text("somebody's own")
    push(folder, "me/films", token=TOKEN)
    named = set(artifacts.read_manifest(folder)["files"])
    assert hub.files("me/films") == named | {"manifest.json", "README.md", "notes.md"}


def test_what_else_a_repository_holds_is_not_downloaded(saved, hub):
    push(saved, "me/films", token=TOKEN)
    (hub.root / "me/films/main/model.pkl").write_bytes(b"cos\nsystem\n")
    assert not list(find("me/films").rglob("*.pkl"))


def test_the_adapter_works_with_plain_peft(saved, hub):
    push(saved, "me/films", token=TOKEN)
    with quietly():
        base = AutoModelForCausalLM.from_pretrained(saved.parent / "base")
        adapted = PeftModel.from_pretrained(base, str(find("me/films")), subfolder="adapter").eval()
    ours = Recommender.from_pretrained(saved, device="cpu", dtype="float32").lm
    ids = torch.tensor([ours.lines.encode("Likes:\nToy Story\n")])
    with torch.inference_mode():
        found, expected = adapted(input_ids=ids).logits, ours.model(input_ids=ids).logits
        plain = adapted.unload()(input_ids=ids).logits
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert (plain - expected).abs().max() > 1e-3


def test_the_card_tells_the_hub_what_it_is(saved, hub):
    push(saved, "me/films", token=TOKEN)
    card = (hub.root / "me/films/main/README.md").read_text(encoding="utf-8")
    head, text = card.removeprefix("---\n").split("\n---\n")
    about = {name: json.loads(v) for name, _, v in (x.partition(": ") for x in head.splitlines())}
    assert about["library_name"] == "coldstart-rec"
    assert "base_model" not in about  # a folder of this machine
    assert text.strip() == (saved / "README.md").read_text(encoding="utf-8").strip()
    manifest = artifacts.read_manifest(saved)
    manifest["base"]["name"] = "smollm2-135m-instruct"
    assert 'base_model: "HuggingFaceTB/SmolLM2-135M-Instruct"\n' in hub_card(manifest)
    manifest["base"]["name"] = "org/model"
    assert 'base_model: "org/model"\n' in hub_card(manifest, "# Mine\n")
    assert hub_card(manifest, card) == card


def test_a_base_model_of_this_machine_is_told_of(saved, hub, caplog):
    push(saved, "me/films", token=TOKEN)
    assert "others cannot load the artifact" in caplog.text


def test_a_damaged_artifact_is_not_uploaded(saved, hub, tmp_path):
    folder = shutil.copytree(saved, tmp_path / "artifact")
    (folder / "ranker.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"ranker\.json is damaged"):
        push(folder, "me/films", token=TOKEN)
    assert not list(hub.root.iterdir())


@pytest.mark.parametrize(
    "name", ["films", "a/b/c", "../films", "me/", "/me/films", "me/fi lms", ""]
)
def test_names_that_are_none_are_refused(saved, hub, name):
    with pytest.raises(ConfigError, match="no repository's name"):
        push(saved, name, token=TOKEN)
    with pytest.raises(ArtifactError, match="no artifact at"):
        Recommender.from_pretrained(name)
    assert not hub.seen


def test_unknown_names_and_revisions_are_told(saved, hub):
    with pytest.raises(ArtifactError, match="me/nothing is neither a folder here nor"):
        Recommender.from_pretrained("me/nothing")
    push(saved, "me/films", token=TOKEN)
    with pytest.raises(ArtifactError, match="me/films has no revision 'v9'"):
        Recommender.from_pretrained("me/films", revision="v9")


def test_offline_what_was_downloaded_before_is_used(saved, hub, monkeypatch):
    push(saved, "me/films", token=TOKEN)
    monkeypatch.setenv("COLDSTART_OFFLINE", "1")
    with pytest.raises(FetchError, match="not in the hub's cache, and the hub did not give it"):
        Recommender.from_pretrained("me/films")
    monkeypatch.setenv("COLDSTART_OFFLINE", "0")
    Recommender.from_pretrained("me/films")
    monkeypatch.setenv("COLDSTART_OFFLINE", "1")
    assert Recommender.from_pretrained("me/films").catalog


def test_what_the_client_lets_through_is_told_without_the_token(hub, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"\nsent {TOKEN}\nand more {'x' * 5000}")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(FetchError, match="the hub and me/films: RuntimeError: sent …") as told:
        find("me/films", token=TOKEN)
    assert_says_nothing(told.value)


def test_the_command(saved, hub, monkeypatch, capsys):
    assert main(["push", str(saved), "me/films"]) == 2
    told = capsys.readouterr().err
    assert "error: the hub does not let you do that with me/films (401)" in told
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda **about: hub.api(TOKEN, **drop(about)))
    assert main(["push", str(saved), "me/films", "--private"]) == 0
    assert capsys.readouterr().out == "https://hub.example/me/films/commit/c1\n"
    assert hub.private == {"me/films"}
    assert main(["push", str(saved.parent), "me/films"]) == 2
    assert "no artifact at" in capsys.readouterr().err


@pytest.fixture
def pushed(saved, hub):
    """An artifact on the hub, at two revisions: the first catalog lacks a film that main has."""
    push(saved, "me/films", token=TOKEN)
    rec = Recommender.from_pretrained(saved)
    rec.catalog.add(Item(item_id="new", title="A Brand New Film"))
    rec.push_to_hub("me/films", token=TOKEN)
    return hub


@pytest.fixture
def tables(tmp_path):
    """The options that name the data of ``saved`` as files."""
    data = toy_dataset()
    items = [item.model_dump() for item in data.catalog]
    (tmp_path / "items.jsonl").write_text("\n".join(json.dumps(item) for item in items))
    likes = [(u, i, n) for u, liked in data.likes.items() for n, i in enumerate(liked)]
    frame = pl.DataFrame(likes, schema=["user_id", "item_id", "timestamp"], orient="row")
    frame.write_csv(tmp_path / "likes.csv")
    return ["--items", "items.jsonl", "--interactions", "likes.csv"]


def test_commands_take_a_name_on_the_hub(saved, pushed, tables, tmp_path, capsys):
    def run(*arguments: str) -> dict:
        assert main([*arguments, "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    assert run("info", "me/films", "--revision", "c1") == artifacts.read_manifest(saved)
    assert run("info", "me/films") != artifacts.read_manifest(saved)
    (tmp_path / "users.csv").write_text("userId,liked\na,Toy Story\nb,\n")
    batch = ["batch", "--users", "users.csv", "--strategy", "prior", "--artifact", "me/films"]
    assert run(*batch, "--out", "lists")["users"] == 2
    assert run(*batch, "--out", "older", "--revision", "c1")["users"] == 2
    plans = [json.loads((tmp_path / out / PLAN).read_text()) for out in ("lists", "older")]
    assert plans[0] != plans[1]
    assert run("export", "me/films", "--merged", "merged")[0]["top_10_identical"]
    assert (tmp_path / "merged" / "config.json").is_file()
    asked = ["--support", "2", "--shots", "1", "--first", "2"]
    assert run("evaluate", "me/films", *tables, *asked, "--out", "figures")
    assert "coldstart evaluate me/films" in (tmp_path / "figures.md").read_text()
    assert run("audit", "me/films", *tables, "--only", "wordings", "--sample", "2")
    recommended = run("recommend", "--artifact", "me/films", "--revision", "c1", "--liked", "Alien")
    assert len(recommended["items"]) == 10
    assert {revision for _, revision in pushed.seen} == {None, "c1"}


@pytest.mark.parametrize(
    "command",
    [
        ["info", "{}"],
        ["export", "{}", "--merged", "merged"],
        ["audit", "{}"],
        ["evaluate", "{}"],
        ["recommend", "--artifact", "{}"],
        ["batch", "--users", "users.csv", "--out", "lists", "--artifact", "{}"],
        ["serve", "--open", "--port", "0", "--artifact", "{}"],
    ],
)
def test_commands_say_what_is_wrong_with_a_name(pushed, tmp_path, capsys, command):
    (tmp_path / "users.csv").write_text("user_id\na\n")

    def told(name: str, *more: str) -> str:
        assert main([part.format(name) for part in command] + list(more)) == 2
        return capsys.readouterr().err

    assert "me/nothing is neither a folder here nor a repository" in told("me/nothing")
    assert "no artifact at films" in told("films")
    assert "me/films has no revision 'v9'" in told("me/films", "--revision", "v9")
    (tmp_path / "here").mkdir()
    assert "revision 'v1' is of a hub repository" in told("here", "--revision", "v1")


def test_nothing_is_written_into_what_is_on_the_hub(pushed, capsys):
    before = pushed.files("me/films")
    assert main(["evaluate", "me/films", "--card"]) == 2
    assert "--card writes into the artifact's folder" in capsys.readouterr().err
    assert pushed.files("me/films") == before
    assert not pushed.seen


def drop(about: dict) -> dict:
    return {name: value for name, value in about.items() if name != "token"}


# -- the real client ------------------------------------------------------------------------------


class Answer(BaseHTTPRequestHandler):
    """Answers everything with one status."""

    status, code = 404, ""

    def answer(self) -> None:
        self.send_response(self.status)
        if self.code:
            self.send_header("X-Error-Code", self.code)
        body = json.dumps({"error": f"said with {self.headers.get('authorization')}"}).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_HEAD = answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A hub that refuses; set ``status`` and ``code``."""
    answer = type("Set", (Answer,), {})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), answer)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{httpd.server_port}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("COLDSTART_OFFLINE", raising=False)
    monkeypatch.chdir(tmp_path)
    yield answer
    httpd.shutdown()
    httpd.server_close()


REFUSALS = [
    (401, "", r"does not let you do that with me/films \(401\)"),
    (404, "RepoNotFound", "neither a folder here nor a repository"),
    (404, "RevisionNotFound", "has no revision 'v1'"),
    (403, "GatedRepo", "has to be asked for"),
    (500, "", "the hub did not give it"),
]


@pytest.mark.parametrize(("status", "code", "why"), REFUSALS)
def test_refusals_are_one_line_without_the_token(server, status, code, why):
    server.status, server.code = status, code
    with pytest.raises(ColdstartError, match=why) as told:
        find("me/films", revision="v1", token=TOKEN)
    assert_says_nothing(told.value)


@pytest.mark.parametrize(("status", "why"), [(401, r"\(401\)|neither"), (403, r"\(403\)")])
def test_refused_uploads_are_one_line_without_the_token(saved, server, status, why):
    server.status = status
    with pytest.raises(ColdstartError, match=why) as told:
        push(saved, "me/films", token=TOKEN)
    assert_says_nothing(told.value)


def test_no_hub_at_all(server, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(FetchError, match="the hub did not give it") as told:
        find("me/films", token=TOKEN)
    assert_says_nothing(told.value)


def assert_says_nothing(error: ColdstartError) -> None:
    text = f"{error} {error.hint} {error.__cause__}"
    assert TOKEN not in text
    assert "\n" not in text
    assert error.__suppress_context__
    assert len(error.message) < 400
