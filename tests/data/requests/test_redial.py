"""ReDial as published, in a made-up dialogue of its format."""

from __future__ import annotations

import json

import pytest

from coldstart.data.requests.load import load_request_log
from coldstart.data.requests.recorded import RequestItem
from coldstart.data.requests.redial import load_redial
from coldstart.errors import DataError

MOVIES = (
    "movieId,movieName,nbMentions\n"
    "11,Alien  (1979),4\n"
    "22,Emma (1996),2\n"
    '33,"Good, the Bad and the Ugly, The (1966)",9\n'
)


def dialogue(number=1, **change):
    said = [(5, "Hi! I loved @11 &amp; want more"), (6, "Hello"), (6, "See @22 or @11"),
            (5, "not @22, @99?"), (6, "Then @33 and @22")]  # fmt: skip
    return {
        "conversationId": str(number), "initiatorWorkerId": 5, "respondentWorkerId": 6,
        "movieMentions": {"11": "Alien  (1979)", "22": "Emma (1996)", "33": None},
        "messages": [{"senderWorkerId": w, "text": t, "messageId": 1} for w, t in said],
        "initiatorQuestions": {"22": {"suggested": 1, "seen": 0, "liked": 0}},
        "respondentQuestions": {
            "22": {"suggested": 1, "seen": 0, "liked": 1},
            "11": {"suggested": 0, "seen": 1, "liked": 1},
            "33": {"suggested": 1, "seen": 2, "liked": 2},
        },
    } | change  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def call(train, test, movies=MOVIES):
        for name, dialogues in (("train", train), ("test", test)):
            text = "".join(json.dumps(d) + "\n" for d in dialogues)
            (tmp_path / f"{name}_data.jsonl").write_text(text)
        if movies:
            (tmp_path / "movies_with_mentions.csv").write_text(movies)
        return tmp_path

    return call


def test_each_recommending_message_is_a_request(write):
    log = load_request_log(write([dialogue()], [dialogue(2)]))
    one, two = log.train
    assert one.text == "Hi! I loved Alien (1979) & want more"
    assert one.mentioned == (RequestItem("11", True, by_user=True),)
    assert one.chosen == (
        RequestItem("22", False, by_user=False),
        RequestItem("11", True, by_user=False),
    )
    assert one.targets == ("22",)
    assert (one.dialogue, one.first, two.first) == ("1", True, False)
    assert two.text == "Hi! I loved Alien (1979) & want more not Emma (1996), @99?"
    assert two.mentioned == (*one.mentioned, RequestItem("22", False, by_user=False))
    assert two.targets == ("33",)
    assert two.chosen[0].liked is None
    assert [r.dialogue for r in log.test] == ["2", "2"]
    assert log.catalog["33"].year == 1966
    assert log.catalog["11"].title == "Alien"


def test_the_last_training_dialogues_are_for_validation(write):
    folder = write([dialogue(n) for n in range(20)], [dialogue(50)])
    log = load_redial(folder)
    assert {r.dialogue for r in log.valid} == {"18", "19"}
    assert {r.dialogue for r in load_redial(folder, valid=1).valid} == {"19"}
    assert {r.dialogue for r in load_redial(folder, valid=0).train} == set(map(str, range(20)))
    with pytest.raises(DataError, match="21 validation dialogues of 20"):
        load_redial(folder, valid=21)


def test_without_the_table_of_movies_and_with_empty_lists(write):
    silent = dialogue(initiatorQuestions=[], respondentQuestions=[], movieMentions=[])
    log = load_redial(write([silent, dialogue()], [], movies=None))
    assert set(log.catalog.ids) == {"11", "22"}
    assert log.train[0].chosen == (RequestItem("22", None, False), RequestItem("11", None, False))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: list instead of an object"),
        ('{"messages": 3}', "line 2: no dialogue: TypeError"),
        ('{"messages": [{"text": "a"}]}', "line 2: no dialogue: KeyError: 'senderWorkerId'"),
        ('{"messages": []}', "line 2: no dialogue: KeyError: 'initiatorWorkerId'"),
    ],
)
def test_a_malformed_line_is_named(write, line, message):
    folder = write([dialogue()], [])
    with (folder / "train_data.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=f"train_data.jsonl, {message}"):
        load_redial(folder)


def test_missing_or_foreign_files(write):
    folder = write([dialogue()], [], movies="id,name\n1,a\n")
    with pytest.raises(DataError, match="a row without movieId or movieName"):
        load_redial(folder)
    (folder / "test_data.jsonl").unlink()
    with pytest.raises(DataError, match=r"test_data.jsonl: No such file"):
        load_redial(folder)
    (folder / "train_data.jsonl").write_bytes(b'{"a": "\xff"}\n')
    with pytest.raises(DataError, match=r"train_data.jsonl: not UTF-8"):
        load_redial(folder)
