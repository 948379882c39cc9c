"""The file that names the tenants."""

from __future__ import annotations

import pytest

from coldstart.cli import main
from coldstart.errors import ConfigError
from coldstart.serve.settings import ServeSettings
from coldstart.serve.tenants_config import read_tenants


@pytest.fixture
def folder(tmp_path):
    """A folder with two artifacts, as far as the file is concerned."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    return tmp_path


GOOD = """
[films]
artifact = "one"
db = "films.db"
max_k = 7
deadline = 3
origins = ["https://films.example"]

[the-shop]
artifact = "two"
db = "postgresql+psycopg://shop:secret@db.example/shop"
secret_key_env = "SHOP_KEY"
"""


def test_the_file_says_what_each_tenant_has(folder, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "x")
    (folder / "t.toml").write_text(GOOD)
    found = read_tenants(folder / "t.toml")
    assert list(found) == ["films", "the-shop"]
    assert found["films"].artifact == str(folder / "one")
    assert found["films"].db == f"sqlite:///{folder}/films.db"
    assert found["the-shop"].db.startswith("postgresql+psycopg://shop:secret@")
    default = ServeSettings(queue=5, max_k=50)
    films = found["films"].settings(default)
    assert (films.max_k, films.queue, films.deadline) == (7, 5, 3)
    assert films.origins == ("https://films.example",)
    assert found["the-shop"].settings(default) == default


def test_each_tenant_has_pictures_of_its_own(folder):
    text = '[a]\nartifact = "one"\ndb = "a.db"\nimages = "posters"\nremote_images = false\n'
    (folder / "t.toml").write_text(text)
    with pytest.raises(ConfigError, match="no folder of pictures .*posters"):
        read_tenants(folder / "t.toml")
    (folder / "posters").mkdir()
    settings = read_tenants(folder / "t.toml")["a"].settings(ServeSettings())
    assert settings.images_folder == folder / "posters"
    assert not settings.remote_images


TABLE = '[a]\nartifact = "one"\ndb = "a.db"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no tenants"),
        ("[a", "not TOML"),
        (b"\xff", "not TOML"),
        ("a = 1", "'a': not a table"),
        ('[a]\ndb = "a.db"', "artifact: Field required"),
        ('[a]\nartifact = "one"', "db: Field required"),
        ('[a]\nartifact = ""\ndb = "a.db"', "artifact: String should have"),
        (TABLE + "maxk = 3", "maxk: Extra inputs"),
        (TABLE + 'max_k = "3"', "max_k: Input should be a valid integer"),
        (TABLE + "max_k = 0", "'a': max_k is 0"),
        (TABLE + "deadline = nan", "'a': deadline is nan"),
        (TABLE + 'origins = ["*"]', "origins are"),
        (TABLE + 'secret_key_env = "COLDSTART_NO_SUCH"', "has no COLDSTART_NO_SUCH"),
        ('[a]\nartifact = "three"\ndb = "a.db"', "no artifact at"),
        ('[a]\nartifact = "one"\ndb = "none/a.db"', "no folder"),
        ('[a]\nartifact = "one"\ndb = "://"', "no URL of a database"),
        (TABLE + '[b]\nartifact = "two"\ndb = "x/../a.db"', "no folder"),
        (TABLE + '[b]\nartifact = "two"\ndb = "one/../a.db"', "the database of 'a'"),
        (
            '[a]\nartifact = "one"\ndb = "postgresql://u:1@h/d"\n'
            '[b]\nartifact = "one"\ndb = "postgresql+psycopg://v:2@h/d"',
            "the database of 'a'",
        ),
        *[
            (f'["{name}"]\nartifact = "one"\ndb = "a.db"', "cannot be part of an address")
            for name in ("a/b", "", "..", ".hidden", "a b", "ü", "a%2f", "a" * 64, "a\\n")
        ],
    ],
)
def test_a_bad_file_is_told(folder, text, told):
    path = folder / "t.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=told):
        read_tenants(path)


def test_two_tenants_with_one_database_by_a_link(folder):
    (folder / "a.db").write_bytes(b"")
    (folder / "b.db").symlink_to("a.db")
    (folder / "t.toml").write_text(TABLE + '[b]\nartifact = "two"\ndb = "b.db"')
    with pytest.raises(ConfigError, match="the database of 'a'"):
        read_tenants(folder / "t.toml")


def test_a_password_is_not_told(folder):
    (folder / "t.toml").write_text('[a]\nartifact = "one"\ndb = "://u:hunter2@h/d"')
    with pytest.raises(ConfigError, match="no URL of a database") as told:
        read_tenants(folder / "t.toml")
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--tenants", "none.toml"], "No such file"),
        (["--tenants", "t.toml", "--artifact", "one"], "--artifact beside --tenants"),
        (["--tenants", "t.toml", "--db", "x.db"], "--db beside --tenants"),
        (["--tenants", "t.toml", "--experiment", "ab.toml"], "--experiment beside --tenants"),
        (["--tenants", "t.toml", "--revision", "main"], "--revision beside --tenants"),
        (["--tenants", "t.toml", "--open", "--host", "0.0.0.0"], "--open on 0.0.0.0"),
    ],
)
def test_the_command_says_what_is_wrong(folder, monkeypatch, capsys, options, told):
    monkeypatch.chdir(folder)
    (folder / "t.toml").write_text(TABLE)
    assert main(["serve", *options]) == 2
    assert told in capsys.readouterr().err
