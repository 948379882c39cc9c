"""Every command of the README runs as it stands there."""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
import sys
import urllib.request

import pytest

from coldstart import Recommender
from coldstart.cli import main
from coldstart.serve.session_service import SessionRecord
from coldstart.serve.store import NewEvent, Store
from coldstart.session.state import FeedbackGiven, SessionState, TextGiven
from tests.conftest import ROOT
from tests.serve.processes import free_port
from tests.waiting import no_error, until

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"\s+#\s.*$")
# Not run here: they are for the developer's shell, and CI runs their targets.
OTHERS = {"make fetch", ". .venv/bin/activate"}


def lines_of(text):
    """Command lines in the code blocks of a document, without comments."""
    for language, block in FENCE.findall(text):
        if language not in ("", "bash"):
            continue
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            if command := COMMENT.sub("", line).strip():
                yield command


def coldstart_of(target):
    """Commands that a target of the Makefile gives to coldstart."""
    rule = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert rule, target
    return [f"coldstart {found}" for found in re.findall(r"\$\(BIN\)/coldstart (.*)", rule[1])]


def commands():
    """Commands of the README; a ``make`` target stands for what it gives to coldstart."""
    for line in lines_of((ROOT / "README.md").read_text(encoding="utf-8")):
        made = re.fullmatch(r"make (\w+)", line)
        yield from coldstart_of(made[1]) if made and line not in OTHERS else [line]


COMMANDS = list(dict.fromkeys(c for c in commands() if c not in OTHERS))
SERVERS = [c for c in COMMANDS if "--open" in c]
ANSWERED = [c for c in COMMANDS if "--open" not in c]


def ids_of(some):
    """Such as ``2-recommend``: the place in the README, and the command."""
    return [f"{COMMANDS.index(c) + 1}-{''.join(shlex.split(c)[1:2])}" for c in some]


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A folder with the repository's examples and artifacts, and files that a user would have."""
    for name in ("examples", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "adapters").mkdir()
    for artifact in (ROOT / "adapters").iterdir():
        (tmp_path / "adapters" / artifact.name).symlink_to(artifact)
    films = [f"f{n},Film {n},{1980 + n},{'Comedy' if n % 2 else 'Drama'}" for n in range(24)]
    (tmp_path / "films.csv").write_text("\n".join(["item_id,title,year,genres", *films]))
    likes = [f"u{u},f{(u + 5 * n) % 24},5,{n}" for u in range(60) for n in range(17)]
    (tmp_path / "ratings.csv").write_text("\n".join(["user_id,item_id,rating,timestamp", *likes]))
    (tmp_path / "shop").symlink_to(ROOT / "tests" / "data" / "small" / "artifact")
    with Store.open(f"sqlite:///{tmp_path / 'visits.db'}") as store:
        for n in range(30):
            said = [
                TextGiven(text="films with toys"),
                FeedbackGiven(item_id=f"i{n % 5}", did="like"),
            ]
            state = SessionRecord("", 0.0, SessionState(events=said)).to_json()
            session = store.create(state, artifact="small")
            store.append(session.id, NewEvent(f"k{n}", "like", f"i{n % 5}"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def loaded_once():
    """The default artifact is read by the first command that needs it; none changes it."""
    load = Recommender.from_pretrained
    once = functools.cache(load)

    def from_pretrained(folder, **options):
        return (once if str(folder) == "adapters/movies" else load)(folder, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recommender, "from_pretrained", from_pretrained)
        yield


def words_of(command):
    program, *words = shlex.split(command)
    assert program == "coldstart", f"{command}: no test runs it"
    return words


@pytest.mark.parametrize("command", ANSWERED, ids=ids_of(ANSWERED))
def test_a_command_of_the_readme_runs(world, capsys, command):
    code = main(words_of(command))
    out, err = capsys.readouterr()
    assert code == 0, err
    assert out.strip()


@pytest.mark.parametrize("command", SERVERS, ids=ids_of(SERVERS))
def test_a_page_of_the_readme_opens(world, command):
    port = free_port()
    log = world / "log.txt"
    with log.open("w", encoding="utf-8") as out:
        whole = [sys.executable, "-m", "coldstart", *words_of(command), "--port", str(port)]
        process = subprocess.Popen(whole, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}/"

    def answers():
        assert process.poll() is None, log.read_text(encoding="utf-8")
        return no_error(lambda: urllib.request.urlopen(url).read(), OSError)()

    try:
        until(answers, f"{command} to answer")
        with urllib.request.urlopen(url) as page:
            assert "</html>" in page.read().decode()
    finally:
        process.terminate()
        process.wait()


def test_the_readme_has_the_commands_that_this_file_is_about():
    told = {word for command in COMMANDS for word in shlex.split(command)[1:2]}
    assert {"recommend", "start", "serve", "train", "benchmark"} <= told
    assert len(SERVERS) >= 2
