"""A/B tests of single requests: who gets what, what is kept of it, and what the report makes of it.

Those of sessions are in ``test_session_arms``.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import binomtest

from coldstart.cli import main
from coldstart.serve.experiment import Experiment, arm_reports
from coldstart.serve.requests import RecommendIn
from coldstart.serve.store import ArmOutcome, Store, SubjectOutcome, tables
from tests.serve.helpers import CANARY, begin, refused, serving
from tests.serve.store.helpers import contents, rows
from tests.toy import toy_recommender

TOML = """
name = "ranker"
[[arms]]
name = "old"
artifact = "x"
weight = 3
[[arms]]
name = "new"
artifact = "y"
"""
FOLDERS = {"old": "x", "new": "y"}


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "ab.toml"
    file.write_text(TOML)
    return file


@pytest.fixture
def test(file):
    return Experiment.load(file)


@pytest.fixture
def client(tmp_path, test):
    with serving(tmp_path, experiment=test, artifacts=FOLDERS) as client:
        yield client


def ask(client, subject=None, **more):
    body = {"k": 3, "strategy": "prior"} | more
    if subject is not None:
        body["subject"] = subject
    answer = client.post("/v1/recommend", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def tell(client, shown, item=0, kind="like", key=None):
    body = {"exposure_id": shown["exposure_id"], "kind": kind}
    body["item_id"] = shown["items"][item]["item_id"] if isinstance(item, int) else item
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/v1/outcomes", json=body, headers=headers)


# -- dealing --------------------------------------------------------------------------------------


def test_a_subject_stays_in_its_arm_over_restarts_and_processes(tmp_path, file, test):
    names = [f"customer {n}" for n in range(30)] + ["Zoë", "日本", " padded ", "a/b?c#d"]
    code = (
        "import json, sys; from coldstart.serve.experiment import Experiment; "
        "test = Experiment.load(sys.argv[1]); "
        "print(json.dumps([test.arm_of(s) for s in json.loads(sys.argv[2])]))"
    )
    command = [sys.executable, "-c", code, str(file), json.dumps(names)]
    other = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert set(other) == {"old", "new"}
    for _ in range(2):
        with serving(tmp_path, experiment=test, artifacts=FOLDERS) as client:
            assert [ask(client, name, k=1)["arm"] for name in names] == other
            assert len({r["subject"] for r in rows(client.service.store, tables.showings)}) == 34


@pytest.mark.parametrize("name", [str, lambda n: f"user-{n:08}@shop.example", lambda n: "x" * n])
@pytest.mark.parametrize("weights", [(1, 1), (3, 1), (90, 9, 1)])
def test_arms_get_their_shares_of_any_kind_of_names(weights, name):
    arms = [{"name": str(n), "artifact": "x", "weight": w} for n, w in enumerate(weights)]
    test = Experiment.model_validate({"name": "shares", "arms": arms})
    n = 20_000 if name(2) != "xx" else 128
    dealt = [test.arm_of(name(i)) for i in range(1, n + 1)]
    for arm, weight in enumerate(weights):
        p = weight / sum(weights)
        assert abs(dealt.count(str(arm)) - n * p) < 4.5 * math.sqrt(n * p * (1 - p))


def test_the_arm_answers_with_its_own_artifact(tmp_path, test):
    asked = {"x": 0, "y": 0}

    def load(folder):
        rec = toy_recommender()
        once = rec.recommend

        def recommend(*args, **options):
            asked[folder] += 1
            return once(*args, **options)

        rec.recommend = recommend
        return rec

    with serving(tmp_path, load, test, FOLDERS) as client:
        arms = set()
        for n in range(12):
            before = dict(asked)
            arm = ask(client, str(n))["arm"]
            arms.add(arm)
            moved = {f for f in asked if asked[f] > before[f]}
            assert moved == {FOLDERS[arm]}
        assert arms == {"old", "new"}
        before = dict(asked)
        for _ in range(5):
            ask(client)
        assert asked == before | {"x": before["x"] + 5}  # nobody in particular: the first arm


def test_rows_are_exposures_of_a_subject_as_lists_are(client, test):
    body = {"subject": "s", "k": 3, "strategy": "prior"}
    got = client.post("/v1/rows", json=body).json()
    assert got["arm"] == test.arm_of("s")
    assert tell(client, got, got["rows"][-1]["items"][-1]["item_id"]).status_code == 200
    assert tell(client, got, "none").status_code == 422


def test_without_subject_or_experiment_nothing_is_recorded(tmp_path, client):
    answer = ask(client)
    assert not {"arm", "exposure_id"} & set(answer)
    assert rows(client.service.store, tables.showings) == []
    (tmp_path / "other").mkdir()
    with serving(tmp_path / "other") as plain:
        assert ask(plain, "customer 7") == ask(plain)
        assert rows(plain.service.store, tables.showings) == []


def test_a_request_that_fails_shows_nothing(client):
    body = {"subject": "s", "profile": {"liked": ["no such film"]}}
    refused(client.post("/v1/recommend", json=body), 422, "invalid")
    assert rows(client.service.store, tables.showings) == []


# -- outcomes -------------------------------------------------------------------------------------


def test_exposures_and_outcomes_end_up_in_the_report(tmp_path, file, client, capsys):
    want = {arm: {"subjects": 0, "lists": 0, "outcomes": 0, "reached": 0} for arm in FOLDERS}
    for n in range(24):
        first, second = ask(client, f"s{n}"), ask(client, f"s{n}")
        assert first["arm"] == second["arm"]
        assert first["exposure_id"] != second["exposure_id"]
        mine = want[first["arm"]]
        mine["subjects"] += 1
        mine["lists"] += 2
        if n % 3 == 0:
            for shown, item in ((first, 0), (second, 0), (second, 1)):
                assert tell(client, shown, item).json() == {"repeated": False}
            mine["outcomes"] += 2
            mine["reached"] += 1
        assert tell(client, first, 2, "click").status_code == 200
    assert main(["serve", "ab-report", str(file), "--db", f"{tmp_path}/people.db", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert got["arms"] == []
    assert [row["arm"] for row in got["subjects"]] == ["old", "new"]
    for row in got["subjects"]:
        assert {name: row[name] for name in want[row["arm"]]} == want[row["arm"]]
        assert row["share"] == want[row["arm"]]["reached"] / want[row["arm"]]["subjects"]
        assert row["interval"][0] <= row["share"] <= row["interval"][1]
    old, new = got["subjects"]
    assert new["gain"] == pytest.approx(new["share"] - old["share"])
    assert new["gain_interval"][0] < new["gain"] < new["gain_interval"][1]

    command = ["serve", "ab-report", str(file), "--db", f"{tmp_path}/people.db"]
    assert main([*command, "--outcome", "click", "--json"]) == 0
    clicked = json.loads(capsys.readouterr().out)["subjects"]
    assert [row["share"] for row in clicked] == [1.0, 1.0]
    assert main(command) == 0
    text = capsys.readouterr()
    assert "ranker, single requests" in text.out
    assert "Subjects with a like" in text.out
    assert "ranker: nobody took part yet" in text.err
    assert main([*command, "--outcome", "applause"]) == 2
    assert "one of like, dislike" in capsys.readouterr().err


def test_sessions_and_subjects_are_reported_apart(tmp_path, file, client, capsys):
    at = begin(client)
    client.post(at + "/feedback", json={"item_id": "i1", "kind": "like"})
    ask(client, "s")
    assert main(["serve", "ab-report", str(file), "--db", f"{tmp_path}/people.db", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert [(r["sessions"], r["exposures"], r["likers"]) for r in got["arms"]] == [(1, 0, 1)]
    assert [(r["subjects"], r["lists"], r["reached"]) for r in got["subjects"]] == [(1, 1, 0)]


def test_the_same_key_counts_once_and_other_content_is_refused(client):
    shown, other = ask(client, "s"), ask(client, "s")
    assert tell(client, shown, key="one").json() == {"repeated": False}
    assert tell(client, shown, key="one").json() == {"repeated": True}
    refused(tell(client, shown, 1, key="one"), 409, "key_reused")
    refused(tell(client, shown, kind="click", key="one"), 409, "key_reused")
    assert tell(client, other, key="one").json() == {"repeated": False}
    assert len(rows(client.service.store, tables.reactions)) == 2
    [arm] = client.service.store.subject_outcomes("ranker")
    assert (arm.subjects, arm.lists, arm.reached) == (1, 2, 1)


def test_the_same_outcome_at_the_same_time_counts_once(client):
    shown, got = ask(client, "s"), []
    threads = [
        threading.Thread(target=lambda: got.append(tell(client, shown, key="k"))) for _ in range(6)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(r.json()["repeated"] for r in got) == [False] + [True] * 5


def test_what_outcomes_refuse(client):
    shown = ask(client, "s")
    good = {"exposure_id": shown["exposure_id"], "item_id": shown["items"][0]["item_id"]}
    refused(tell(client, shown | {"exposure_id": "0" * 32}), 404, "not_found")
    for change, told in (
        ({"kind": CANARY}, "body.kind"),
        ({"kind": None}, "body.kind"),
        ({}, "body.kind: Field required"),
        ({"kind": "like", "exposure_id": CANARY}, "body.exposure_id"),
        ({"kind": "like", "item_id": CANARY}, "cannot be stored"),
        ({"kind": "like", "item_id": ""}, "body.item_id"),
        ({"kind": "like", CANARY: 1}, "body: a field that is not known"),
    ):
        answer = refused(client.post("/v1/outcomes", json=good | change), 422, "invalid")
        assert told in answer["message"]
        assert CANARY not in str(answer)
    refused(tell(client, shown, key="k" * 201), 422, "invalid")
    for bad in ("", "x" * 129, 7, "\0"):
        body = {"subject": bad, "k": 1, "strategy": "prior"}
        refused(client.post("/v1/recommend", json=body), 422, "invalid")
    assert rows(client.service.store, tables.reactions) == []


def test_a_subject_is_taken_as_it_is():
    assert RecommendIn(subject=" a ").subject == " a "
    assert RecommendIn(subject="é" * 128).subject == "é" * 128


# -- the report -----------------------------------------------------------------------------------


def test_people_are_the_unit_and_not_their_requests():
    """Whoever asks a hundred times is one person: a list more or less changes no interval."""
    few = [SubjectOutcome("a", 200, 200, 40, 40), SubjectOutcome("b", 200, 200, 60, 60)]
    many = [SubjectOutcome("a", 200, 9000, 500, 40), SubjectOutcome("b", 200, 20_000, 900, 60)]
    for one, other in zip(arm_reports(few), arm_reports(many), strict=True):
        assert (one.share, one.interval) == (other.share, other.interval)
        assert (one.gain, one.gain_interval) == (other.gain, other.gain_interval)
    usual = 2 * 1.96 * math.sqrt(0.2 * 0.8 / 200 + 0.3 * 0.7 / 200)  # normal approximation
    assert np.diff(arm_reports(few)[1].gain_interval)[0] == pytest.approx(usual, rel=0.1)
    sessions = arm_reports([ArmOutcome("a", 200, 9, 9, 40), ArmOutcome("b", 200, 9, 9, 60)])
    assert [r.interval for r in sessions] == [r.interval for r in arm_reports(few)]


def test_where_there_is_no_difference_an_interval_holds_zero_19_times_in_20():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        arms = [SubjectOutcome(a, 300, 900, 0, int(rng.binomial(300, 0.3))) for a in "ab"]
        low, high = arm_reports(arms)[1].gain_interval
        held += low <= 0 <= high
    assert 0.95 - 4 * math.sqrt(0.05 * 0.95 / 400) < held / 400 < 0.99


@pytest.mark.parametrize(("successes", "units"), [(0, 3), (3, 3), (1, 2), (40, 200), (7, 9000)])
def test_intervals_are_those_of_scipy_and_never_certain(successes, units):
    arm = SubjectOutcome("a", units, units, 0, successes)
    one, two = arm_reports([arm, arm])
    want = binomtest(successes, units).proportion_ci(method="wilson")
    assert one.interval == pytest.approx((want.low, want.high))
    assert one.interval[0] < one.interval[1]
    low, high = two.gain_interval
    assert low < 0 < high
    assert low == pytest.approx(-high)  # equal arms: as sure above as below


def test_a_gain_has_the_interval_of_the_literature():
    """Newcombe (1998), table II, example (a), method 10: 56/70 less 48/80 is .0524 to .3339."""
    got = arm_reports([SubjectOutcome("a", 80, 80, 48, 48), SubjectOutcome("b", 70, 70, 56, 56)])[1]
    assert got.gain == pytest.approx(0.2)
    assert got.gain_interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_an_arm_that_nobody_was_in_has_no_share():
    none, some = SubjectOutcome("a", 0, 0, 0, 0), SubjectOutcome("b", 3, 3, 1, 1)
    got = arm_reports([none, some])
    assert got[0].share is None
    assert (got[1].share, got[1].gain) == (1 / 3, None)
    assert got[1].to_dict()["reached"] == 1


# -- privacy --------------------------------------------------------------------------------------


def test_a_subject_is_in_no_log_number_error_or_file(tmp_path, test, logged):  # noqa: F811
    with serving(tmp_path, experiment=test, artifacts=FOLDERS) as client:
        shown = ask(client, CANARY)
        assert CANARY not in str(shown)
        tell(client, shown)
        for path, body in [
            ("/v1/recommend", {"subject": CANARY, "k": 0}),
            ("/v1/recommend", {"subject": CANARY * 20}),
            ("/v1/recommend", {"subject": [CANARY]}),
            ("/v1/recommend", {"subject": CANARY + "\0", "strategy": "prior"}),
            ("/v1/outcomes", {"exposure_id": CANARY, "item_id": CANARY, "kind": CANARY}),
            ("/v1/subjects/erase", {"subject": CANARY * 20}),
            ("/v1/subjects/erase", {"subject": CANARY, CANARY: CANARY}),
        ]:
            answer = client.post(path, json=body)
            assert CANARY not in str(refused(answer, 422, "invalid"))
        assert CANARY not in client.post("/v1/subjects/export", json={"subject": CANARY}).text
        assert len(client.post("/v1/subjects/export", json={"subject": CANARY}).json()) == 1
        store, broken = client.service.store, client.service.store.show

        def fail(*args, **options):
            raise KeyError(f"{CANARY} broke it")

        store.show = fail
        body = {"subject": CANARY, "k": 1, "strategy": "prior"}
        refused(client.post("/v1/recommend", json=body), 500, "internal")
        store.show = broken
        with store._writer.begin() as connection:
            for table in ("coldstart_reactions", "coldstart_showings"):
                connection.exec_driver_sql(f"DROP TABLE {table}")
        refused(client.post("/v1/recommend", json=body), 503, "store")
        numbers = client.get("/metrics").text
        files = contents(tmp_path)
    assert len(files) > 10_000
    for text in (logged.getvalue(), numbers, str(files), str(contents(tmp_path))):
        assert CANARY not in text
    assert "/v1/subjects/erase" in logged.getvalue()


def test_a_subject_can_be_exported_and_erased(client):
    shown, other = ask(client, "s"), ask(client, "t")
    tell(client, shown)
    asked = {"subject": "s"}
    [told] = client.post("/v1/subjects/export", json=asked).json()
    assert told["exposure_id"] == shown["exposure_id"]
    assert told["item_ids"] == [line["item_id"] for line in shown["items"]]
    assert [o["kind"] for o in told["outcomes"]] == ["like"]
    answer = client.post("/v1/subjects/erase", json=asked)
    assert answer.json() == {"lists": 1, "outcomes": 1}
    assert client.post("/v1/subjects/erase", json=asked).json() == {"lists": 0, "outcomes": 0}
    assert client.post("/v1/subjects/export", json=asked).json() == []
    refused(tell(client, shown), 404, "not_found")
    assert tell(client, other).status_code == 200
    assert ask(client, "s")["arm"] == shown["arm"]  # who comes back is where they were


def test_only_admins_may_look_up_subjects(tmp_path, test):
    with serving(tmp_path, experiment=test, artifacts=FOLDERS, open=False) as client:
        store = client.service.store
        user = {"X-API-Key": store.create_key("u").secret}
        admin = {"X-API-Key": store.create_key("b", admin=True).secret}
        body = {"subject": "s", "k": 1, "strategy": "prior"}
        shown = client.post("/v1/recommend", json=body, headers=user).json()
        said = {"exposure_id": shown["exposure_id"], "item_id": shown["items"][0]["item_id"]}
        said |= {"kind": "buy"}
        assert client.post("/v1/outcomes", json=said, headers=user).status_code == 200
        refused(client.post("/v1/outcomes", json=said), 401, "unauthorized")
        for path in ("/v1/subjects/export", "/v1/subjects/erase"):
            refused(client.post(path, json={"subject": "s"}, headers=user), 403, "forbidden")
            assert client.post(path, json={"subject": "s"}, headers=admin).status_code == 200
        assert store.export_subject("s") == []


def test_the_service_deletes_lists_and_outcomes_when_their_time_is_over(client):
    store, shown = client.service.store, ask(client, "s")
    tell(client, shown)
    now = store._clock()
    store._clock = lambda: now + timedelta(days=30, seconds=1)
    refused(tell(client, shown), 404, "not_found")
    client.portal.call(client.service.purge)
    assert len(rows(store, tables.showings)) == 1  # a day of grace, as for sessions
    store._clock = lambda: now + timedelta(days=31, seconds=1)
    client.portal.call(client.service.purge)
    assert rows(store, tables.showings) == rows(store, tables.reactions) == []


def test_reports_do_not_need_the_artifacts(tmp_path, file, capsys):
    with Store.open(f"sqlite:///{tmp_path}/p.db") as store:
        for n in range(4):
            arm = "new" if n % 2 else "old"
            shown = store.show(str(n), ["1"], experiment="ranker", arm=arm, artifact="x")
            store.record(shown, "k", "like", "1")
    assert main(["serve", "ab-report", str(file), "--db", f"{tmp_path}/p.db", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)["subjects"]
    assert [(r["arm"], r["share"]) for r in got] == [("old", 1.0), ("new", 1.0)]
