"""Encoder folders that bring Python: it is never imported, by us or by the library."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer

from coldstart.artifacts.loading import make_encoder
from coldstart.encoding.foreign_code import refuse_code
from coldstart.encoding.sentence_encoder import LazyEncoder, SentenceEncoder
from coldstart.errors import ModelError
from coldstart.runtime import models
from tests.tiny_bert import save_tiny_bert


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return Path(save_tiny_bert(tmp_path_factory.mktemp("bert") / "tiny"))


@pytest.fixture
def evil(plain, tmp_path):
    """A folder whose module writes a file when it is imported."""
    folder = shutil.copytree(plain, tmp_path / "evil")
    code = f"open({str(tmp_path / 'run')!r}, 'w')\nclass Evil:\n    pass\n"
    (folder / "evil.py").write_text(code)
    return folder


def edit(folder, name, change):
    path = folder / name
    data = json.loads(path.read_text()) if path.is_file() else {}
    change(data)
    path.write_text(json.dumps(data))


BRINGS = {
    "a module of the folder": ("modules.json", lambda m: m[0].update(type="evil.Evil")),
    "a module of Python": ("modules.json", lambda m: m[0].update(type="os.system")),
    "a module that only begins like ours": (
        "modules.json",
        lambda m: m[0].update(type="sentence_transformers_evil.Evil"),
    ),
    "a module by a path": ("modules.json", lambda m: m[0].update(type="org/repo--evil.Evil")),
    "no name": ("modules.json", lambda m: m[0].update(type=3)),
    "no module": ("modules.json", lambda m: m.append("evil.Evil")),
    "a class of Transformers": (
        "config.json",
        lambda c: c.update(auto_map={"AutoModel": "evil.Evil"}),
    ),
    "a tokenizer": (
        "tokenizer_config.json",
        lambda c: c.update(auto_map={"AutoTokenizer": ["evil.Evil", None]}),
    ),
    "a route": ("router_config.json", lambda c: c.update(types={"0": "evil.Evil"})),
    "trust": ("sentence_bert_config.json", lambda c: c.update(trust_remote_code=True)),
    "trust of a part": (
        "sentence_bert_config.json",
        lambda c: c.update(model_args={"trust_remote_code": True}),
    ),
}


@pytest.mark.parametrize("name", BRINGS)
def test_folders_that_name_code_are_refused(evil, tmp_path, name):
    edit(evil, *BRINGS[name])
    for use in (
        refuse_code,
        lambda f: make_encoder(str(f)),
        lambda f: SentenceEncoder.from_pretrained(f),
        lambda f: LazyEncoder(str(f)).encode(["text"]),
    ):
        with pytest.raises(ModelError, match="brings code: .* names") as e:
            use(evil)
        assert "\n" not in str(e.value)
    assert not (tmp_path / "run").exists()
    assert "evil" not in sys.modules


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[1e"])
def test_settings_that_cannot_be_read_are_refused(evil, text):
    (evil / "modules.json").write_text(text)
    with pytest.raises(ModelError, match="modules.json cannot be read"):
        refuse_code(evil)


def test_code_that_nothing_names_is_no_obstacle(evil, tmp_path):
    refuse_code(evil)
    assert len(LazyEncoder(str(evil)).encode(["text"])) == 1
    assert not (tmp_path / "run").exists()


def test_the_packaged_encoder_is_not_refused():
    refuse_code(Path(models.resolve(models.DEFAULT_ENCODER)))


def test_the_library_refuses_such_a_folder_by_itself(evil, tmp_path):
    """What pyproject.toml requires: with 5.7 this ran the folder's Python."""
    edit(evil, *BRINGS["a module of the folder"])
    assert tuple(map(int, version("sentence-transformers").split(".")[:2])) >= (6, 2)
    with pytest.raises(ValueError, match="trust_remote_code=True"):
        SentenceTransformer(str(evil), trust_remote_code=False, device="cpu")
    assert not (tmp_path / "run").exists()
