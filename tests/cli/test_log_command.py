"""``coldstart log`` and the policies that it is asked about, on logs whose answer is known."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.cli import main
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.off_policy.business_metrics import business_report
from coldstart.evaluation.off_policy.estimators import estimate_policy
from coldstart.evaluation.off_policy.logged_feedback import InteractionLog
from coldstart.evaluation.off_policy.report import make_log_report
from coldstart.evaluation.off_policy.target_policy import (
    FOLDS,
    SHRINK,
    Target,
    estimate_target,
    reward_model,
)
from coldstart.evaluation.plots.of_report import charts_of
from coldstart.schema import Item

ROOT = Path(__file__).parents[2]
UNBIASED = ("ips", "snips", "doubly_robust")


def exact_log(users=8):
    """Shown as often as it was probable: a three times of four, b once; at a second rank, too.

    Even users click b and nothing else, odd users a; the second rank gets clicks from nobody.
    """
    # An item may be shown once per request only, so the second rank is a request of its own.
    rows = [
        (f"u{n}", f"r{shown}.{rank}", item, rank, int(rank == 1 and item == "ba"[n % 2]), p)
        for n in range(users)
        for shown in range(4)
        for rank in (1, 2)
        for item, p in [("a", 0.75) if (shown + rank) % 4 else ("b", 0.25)]
    ]
    names = ["user_id", "request_id", "item_id", "rank", "clicked", "propensity"]
    return InteractionLog.from_frame(pl.DataFrame(rows, schema=names, orient="row"))


def target(rows, *names):
    return Target.from_frame(pl.DataFrame(rows, schema=list(names), orient="row"))


# -- policies ------------------------------------------------------------------------------------


def test_estimates_of_an_exact_log_are_the_truth():
    """No luck in what was shown: IPS, SNIPS and doubly robust have no error at all."""
    log = exact_log()
    even = target([("a", 0.5), ("b", 0.5)], "item_id", "probability")
    best = [(f"u{n}", "ba"[n % 2], 1.0) for n in range(8)]
    known = target(best, "user_id", "item_id", "probability")
    worst = target([(u, "ab"["ab".index(i) - 1], p) for u, i, p in best], "user_id", "item_id",
                   "probability")  # fmt: skip
    for policy, truth in ((even, 0.5), (known, 1.0), (worst, 0.0)):
        found = estimate_target(log, policy, 1)["clicked"]
        assert list(found) == ["ips", "clipped_ips", "snips", "direct_method", "doubly_robust"]
        for name in UNBIASED:
            assert found[name].value == pytest.approx(truth, abs=1e-12)
            assert not found[name].notes
        both = estimate_target(log, policy, 2)["clicked"]
        assert both["ips"].value == pytest.approx(truth / 2)  # nobody clicks at the second rank
        assert both["ips"].rows == 2 * found["ips"].rows
    assert found["direct_method"].value > 0.3  # a model of items knows nothing of the users


def test_a_list_is_a_policy_that_is_sure_of_itself():
    log = exact_log()
    sure = target([("a", 1, 1.0), ("b", 1, 0.0), ("b", 2, 1.0)], "item_id", "rank", "probability")
    listed = target([("a", 1), ("b", 2)], "item_id", "rank")
    assert estimate_target(log, listed, 2) == estimate_target(log, sure, 2)
    assert estimate_target(log, listed, 2)["clicked"]["ips"].value == pytest.approx(1 / 4)
    assert listed.keys == ["rank"]
    # Ranks of the target beyond k are not asked for.
    assert estimate_target(log, listed, 1)["clicked"]["ips"].value == pytest.approx(1 / 2)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Random logs of four items and two ranks; the target prefers what the logging avoids."""
    logging, wanted = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
    clicks = np.array([[0.2, 0.3, 0.5, 0.6], [0.1, 0.1, 0.2, 0.4]])
    truth = float((clicks @ wanted).mean())
    policy = target(zip("abcd", wanted, strict=True), "item_id", "probability")
    held, values = dict.fromkeys(UNBIASED, 0), {n: [] for n in (*UNBIASED, "direct_method")}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        items = rng.choice(4, size=600, p=logging)
        ranks = np.tile([1, 2], 300)
        log = InteractionLog.from_frame(
            pl.DataFrame(
                {
                    "user_id": [f"u{n // 4}" for n in range(600)],
                    "request_id": [str(n) for n in range(600)],
                    "item_id": ["abcd"[i] for i in items],
                    "rank": ranks,
                    "clicked": rng.random(600) < clicks[ranks - 1, items],
                    "propensity": logging[items],
                }
            )
        )
        found = estimate_target(log, policy, 2)["clicked"]
        for name in values:
            values[name].append(found[name].value)
        for name in UNBIASED:
            low, high = found[name].interval
            held[name] += low <= truth <= high
    assert min(held.values()) >= 51  # 57 expected, standard error 1.7
    for name in UNBIASED:
        assert np.mean(values[name]) == pytest.approx(truth, abs=0.015)
    assert np.std(values["doubly_robust"]) < np.std(values["ips"])


def brute_force(log, policy, seed):
    """The reward model in loops, from its docstring."""
    rows = log.table.to_dicts()
    users = sorted({r["user_id"] for r in rows})
    mixed = np.random.default_rng(seed).permutation(len(users))
    part = dict(zip(users, mixed % FOLDS, strict=True))
    shares = policy.table.to_dicts()
    predicted, expected = [], []
    for row in rows:
        others = [r for r in rows if part[r["user_id"]] != part[row["user_id"]]]

        def level(rank, others=others):
            same = [r["clicked"] for r in others if r["rank"] == rank]
            return np.mean(same or [r["clicked"] for r in others])

        def effect(item, others=others, level=level):
            rests = [r["clicked"] - level(r["rank"]) for r in others if r["item_id"] == item]
            return sum(rests) / (len(rests) + SHRINK)

        here = [s for s in shares if all(s[key] == row[key] for key in policy.keys)]
        predicted.append(level(row["rank"]) + effect(row["item_id"]))
        whole = sum(s["probability"] * effect(s["item_id"]) for s in here)
        expected.append(level(row["rank"]) + whole)
    chances = [
        sum(
            s["probability"]
            for s in shares
            if s["item_id"] == row["item_id"] and all(s[key] == row[key] for key in policy.keys)
        )
        for row in rows
    ]
    return chances, predicted, expected


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sets(st.sampled_from(["user_id", "request_id", "rank"])))
def test_the_policy_and_the_reward_model_agree_with_loops(seed, keys):
    rng = np.random.default_rng(seed)
    users, items = int(rng.integers(2, 9)), list("abcde")
    rows = [
        (f"u{u}", f"r{r}", items[i], rank, bool(rng.random() < 0.4), float(rng.uniform(0.1, 1)))
        for u in range(users)
        for r in range(int(rng.integers(1, 3)))
        for rank, i in enumerate(rng.permutation(5)[: rng.integers(1, 4)], start=1)
    ]
    names = ["user_id", "request_id", "item_id", "rank", "clicked", "propensity"]
    log = InteractionLog.from_frame(pl.DataFrame(rows, schema=names, orient="row"))
    places = log.table.select(sorted(keys)).unique() if keys else pl.DataFrame([{}])
    shares = [
        {**place, "item_id": item, "probability": p}
        for place in (places.to_dicts() if keys else [{}])
        for item, p in zip("abcdef", rng.dirichlet(np.ones(6)), strict=True)
    ]
    policy = Target.from_frame(pl.DataFrame(shares).sample(fraction=1, shuffle=True, seed=seed))
    chances, predicted, expected = brute_force(log, policy, seed)
    assert policy.chances(log).tolist() == pytest.approx(chances)
    found = reward_model(log, policy, "clicked", seed=seed)
    assert found[0].tolist() == pytest.approx(predicted)
    assert found[1].tolist() == pytest.approx(expected)
    wanted = estimate_policy(log, chances, predicted=predicted, expected=expected)
    for name, estimate in estimate_target(log, policy, seed=seed)["clicked"].items():
        assert estimate.value == pytest.approx(wanted[name].value)
        assert estimate.standard_error == pytest.approx(wanted[name].standard_error)


def test_one_user_leaves_nobody_to_fit_a_model_to():
    log = InteractionLog(exact_log().table.filter(user_id="u0"))
    policy = target([("a", 0.5), ("b", 0.5)], "item_id", "probability")
    assert reward_model(log, policy, "clicked") is None
    assert list(estimate_target(log, policy)["clicked"]) == ["ips", "clipped_ips", "snips"]


def test_missing_support_is_noted():
    policy = target([("a", 0.5), ("never shown", 0.5)], "item_id", "probability")
    found = estimate_target(exact_log(), policy)["clicked"]["ips"]
    assert "the weights average 0.5, not 1" in found.notes[-1]


def test_every_kind_of_file_gives_the_same_policy(tmp_path):
    table = pl.DataFrame({"itemId": [7, 8, 7], "Rank": [1, 1, 2], "probability": [0.25, 0.75, 1.0]})
    table.write_csv(tmp_path / "a.csv")
    table.write_parquet(tmp_path / "a.parquet")
    table.write_ndjson(tmp_path / "a.jsonl")
    policies = [Target.load(path) for path in sorted(tmp_path.iterdir())]
    assert all(p.table.equals(policies[0].table) for p in policies)
    assert policies[0].table["item_id"].to_list() == ["7", "8", "7"]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"probability": [1.0]}, "no column for item_id; found: probability .needed: item_id; opt"),
        ({"item_id": ["a"]}, "no column for probability, and none for rank .a policy takes"),
        ({"item_id": [], "rank": []}, "no rows"),
        ({"item_id": ["a"], "probability": [1.5]}, r"probability is '1\.5', expected .* in row 2"),
        ({"item_id": ["a"], "probability": [-0.1]}, r"probability is '-0\.1', expected"),
        ({"item_id": ["a", "b"], "probability": ["1", "x"]}, "probability is 'x', .* in row 3"),
        ({"item_id": ["a", "b"], "probability": [1.0, None]}, "probability is empty, expected"),
        (
            {"item_id": ["a", "b"], "rank": [1, 2], "probability": [None, None]},
            "the column probability is empty",
        ),
        ({"item_id": ["a", None], "rank": [1, 2]}, "item_id is empty, expected an id, in row 3"),
        ({"item_id": ["a"], "rank": [0]}, "rank is '0', expected a whole number from 1 up"),
        ({"item_id": ["a", "a"], "probability": [0.5, 0.5]}, "item_id repeats .* in rows 2, 3"),
        ({"item_id": ["a", "b"], "probability": [0.5, 0.3]}, r"probabilities sum to 0\.8, exp"),
        ({"item_id": ["a", "b"], "rank": [1, 1]}, "probabilities at rank 1 sum to 2, expected 1"),
        (
            {"item_id": ["a", "a"], "user_id": ["u", "v"], "probability": [1.0, 0.9]},
            r"probabilities at user_id 'v' sum to 0\.9, expected 1; so at 1 of 2 places",
        ),
    ],
)
def test_policies_that_make_no_sense_are_refused(columns, why):
    with pytest.raises(DataError, match=why):
        Target.from_frame(pl.DataFrame(columns, strict=False))


def test_rounded_probabilities_are_let_through():
    thirds = target([(i, 0.3333) for i in "abc"], "item_id", "probability")
    assert thirds.table["probability"].sum() == pytest.approx(0.9999)


def test_a_policy_has_to_know_every_place_of_the_log():
    part = target([("u0", "a", 1.0), ("u1", "a", 1.0)], "user_id", "item_id", "probability")
    why = "nothing at user_id 'u2', which the log has; so at 6 of 8 places .say what is shown"
    with pytest.raises(DataError, match=why):
        estimate_target(exact_log(), part)
    short = target([("a", 1)], "item_id", "rank")
    with pytest.raises(DataError, match="nothing at rank 2, .* for every user, .* up to -k"):
        estimate_target(exact_log(), short)
    assert estimate_target(exact_log(), short, 1)


def test_what_a_log_has_to_have():
    policy = target([("a", 1.0)], "item_id", "probability")
    log = InteractionLog(exact_log().table.drop("propensity"))
    with pytest.raises(DataError, match="the log has no column propensity"):
        estimate_target(log, policy)
    with pytest.raises(DataError, match="no row of the log has a rank up to 0"):
        estimate_target(exact_log(), policy, 0)
    with pytest.raises(DataError, match="target is 0 in every row"):
        estimate_target(exact_log(), target([("x", 1.0)], "item_id", "probability"))
    with pytest.raises(ConfigError, match="clip is 0"):
        estimate_target(exact_log(), policy, clip=0)


# -- the report ----------------------------------------------------------------------------------

EVIL = "<script>alert(1)</script> | x"


def test_the_report_has_every_number_and_escapes_names(tmp_path):
    pytest.importorskip("matplotlib")
    rows = exact_log().table.with_columns(converted=pl.col("clicked"), value=pl.lit(2.0))
    log = InteractionLog.from_frame(rows)
    catalog = Catalog(Item(item_id=i, title=i, value=9.0) for i in "abcd")
    policy = target([("a", 0.5), ("b", 0.5)], "item_id", "probability")
    made = make_log_report(
        log, (1, 2), {"log": EVIL, "command": "x"}, catalog=catalog, cost=0.25, target=policy
    )
    assert made.business == tuple(
        business_report(log, k, catalog=catalog, cost=0.25) for k in (1, 2)
    )
    first, *others = made.tables()
    cells = {name: x for name, *x in first.rows}
    assert cells["CTR"][0].startswith("0.500 (")
    assert cells["revenue"][0].startswith("1.000 (")
    assert cells["profit"][0].startswith("0.750 (")
    assert cells["ROI"][1].startswith("1.000 (")
    assert cells["coverage of the catalog"][0].startswith("0.500 (")
    assert cells["recommendations"] == ["32", "64"]
    assert cells["users"] == ["8", "8"]
    assert [t.title.split(": ")[1] for t in others] == [
        "CTR, k=2", "conversion rate, k=2", "revenue, k=2"
    ]  # fmt: skip
    assert [bool(t.note) for t in others] == [True, False, False]
    names = ["as logged", "IPS", "IPS, clipped", "SNIPS", "direct method", "doubly robust"]
    for table in others:
        assert [row[0] for row in table.rows] == names
    paths = made.save(tmp_path / "v1.2")
    ends = ["md", "html", "json", "by-k.svg", "by-k.png"]
    assert [p.name for p in paths] == [f"v1.2.{end}" for end in ends]
    text, page, found = (p.read_text() for p in paths[:3])
    assert "<script" not in text + page
    assert "&lt;script&gt;" in page
    assert page.count('<img src="data:image/svg+xml;base64,') == 1
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    whole = json.loads(found)
    assert whole["estimates"]["revenue"]["ips"]["value"] == pytest.approx(0.5)
    assert len(whole["estimates"]["clicked"]["snips"]["interval"]) == 2
    assert whole["business"][1]["roi"]["ratio"]["value"] == pytest.approx(1.0)
    assert "direct method: the standard error knows nothing" in whole["notes"][0]
    assert whole["about"]["log"] == f"{EVIL}, 64 rows, 64 requests, 8 users"


def test_a_bare_log_has_clicks_only_and_one_user_no_interval():
    rows = exact_log().table.filter(user_id="u0").drop("propensity", "request_id")
    rows = rows.with_columns(rank=pl.int_range(pl.len()) + 1, item_id=pl.int_range(pl.len()))
    made = make_log_report(InteractionLog.from_frame(rows), (2,), {"log": "x"})
    (table,) = made.tables()
    assert [row[0] for row in table.rows] == ["CTR", "recommendations", "users"]
    assert "(" not in table.rows[0][1]
    assert made.notes == []
    assert json.loads(json.dumps(made.to_dict(), allow_nan=False))["estimates"] == {}
    assert charts_of(made.to_dict())[0].lines["CTR"] == [(2, *[made.business[0].ctr.value] * 3)]
    with pytest.raises(ConfigError, match=r"a cost of 0\.1, but the log knows no revenue"):
        make_log_report(InteractionLog.from_frame(rows), (2,), {"log": "x"}, cost=0.1)


# -- the command ---------------------------------------------------------------------------------

LOG, ITEMS, TARGET = (ROOT / "examples" / n for n in ("log.csv", "items.csv", "target.csv"))


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("COLDSTART_DEBUG", raising=False)

    def call(*args):
        code = main(["log", *map(str, args)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_the_example_of_the_help(run, tmp_path, monkeypatch):
    """Its figures by other means: polars, and weights of 5 where the target agrees."""
    assert LOG.stat().st_size < 10_000
    code, out, err = run(LOG, "-k", "1,3", "--items", ITEMS, "--cost", 0.05, "--target", TARGET,
                         "--out", tmp_path / "shown", "--json")  # fmt: skip
    assert code == 0, err
    found = json.loads(out)
    assert found == json.loads((tmp_path / "shown.json").read_text())
    rows = pl.read_csv(LOG).join(pl.read_csv(ITEMS), on="item_id")
    for at, k in enumerate((1, 3)):
        shown, business = rows.filter(pl.col("rank") <= k), found["business"][at]
        earned = (shown["converted"] * shown["value"]).mean()
        assert business["recommendations"] == len(shown) == 60 * k
        assert business["ctr"]["value"] == pytest.approx(shown["clicked"].mean())
        assert business["ctr"]["low"] < business["ctr"]["value"] < business["ctr"]["high"]
        assert business["conversion"]["value"] == pytest.approx(shown["converted"].mean())
        assert business["revenue"]["value"] == pytest.approx(earned)
        assert business["roi"]["ratio"]["value"] == pytest.approx(earned / 0.05 - 1)
        assert business["coverage"]["value"] == 1.0
    listed = {1: "heat", 2: "alien", 3: "fargo"}
    match = rows.filter(pl.col("item_id") == pl.col("rank").replace_strict(listed))
    estimates = found["estimates"]["clicked"]
    assert estimates["ips"]["value"] == pytest.approx(5 * match["clicked"].sum() / len(rows))
    assert estimates["snips"]["value"] == pytest.approx(match["clicked"].mean())
    low, high = estimates["doubly_robust"]["interval"]
    assert low < estimates["doubly_robust"]["value"] < high
    assert list(found["estimates"]) == ["clicked", "converted", "revenue"]
    assert found["about"]["command"].startswith(f"coldstart log {LOG} --k 1,3 --items ")
    assert "wrote " in err


def test_tables_for_people(run):
    code, out, err = run(LOG, "--target", TARGET)
    assert code == 0
    assert "k=1" in out
    assert "k=10" in out
    assert "What the target would have earned: CTR, k=10" in out
    assert "doubly robust" in out
    assert "direct method: the standard error knows nothing of the reward model's bias" in err
    assert "revenue" not in out


def test_the_help_teaches(run):
    code, out, _ = run("--help")
    assert code == 0
    for path in (LOG, ITEMS, TARGET):
        assert f"examples/{path.name} " in out
    assert "Off-policy evaluation" in out
    assert "propensity" in out


HEAD = "user_id,item_id,rank,clicked"
GOOD = f"{HEAD}\nu,a,1,1\nv,a,1,0\n"


@pytest.mark.parametrize(
    ("files", "args", "parts"),
    [
        ({}, ["none.csv"], ["none.csv: No such file", "check the path"]),
        ({}, [], ["Missing argument 'LOG'", "see coldstart log --help"]),
        ({"x.xls": GOOD}, ["x.xls"], ["cannot read files of kind '.xls'", "use one of .csv"]),
        ({"x.csv": ""}, ["x.csv"], ["x.csv: the file is empty", "damaged or malformed"]),
        ({"x.csv": HEAD}, ["x.csv"], ["x.csv: no rows", "one row per shown item"]),
        ({"x.csv": "user_id,rank\nu,1"}, ["x.csv"],
         ["no column for item_id, clicked; found: user_id, rank", "needed: user_id, item_id"]),
        ({"x.csv": f"{HEAD}\nu,a,1,2\nv,,0,1"}, ["x.csv"],
         ["clicked is '2', expected 0 or 1, in row 2", "rank is '0'", "item_id is empty"]),
        ({"x.csv": f"{HEAD},propensity\nu,a,1,1,0"}, ["x.csv"],
         ["propensity is '0', expected a probability above 0", "nothing was loaded"]),
        ({"x.csv": f"{HEAD}\nu,a,1,1\nu,b,1,0"}, ["x.csv"],
         ["rank repeats within a request", "rows 2, 3", "hint: the header is row 1"]),
        ({"x.csv": GOOD}, ["x.csv", "-k", "many"], ["-k 'many'", "whole numbers from 0 on"]),
        ({"x.csv": GOOD}, ["x.csv", "-k", "0"], ["k is 0", "a whole number from 1 up"]),
        ({"x.csv": f"{HEAD}\nu,a,2,1"}, ["x.csv"], ["no row of the log has a rank up to 1"]),
        ({"x.csv": GOOD}, ["x.csv", "--seed", "-1"], ["--seed"]),
        ({"x.csv": GOOD}, ["x.csv", "--items", "none.csv"], ["none.csv: No such file"]),
        ({"x.csv": GOOD, "i.csv": "item_id\na"}, ["x.csv", "--items", "i.csv"], ["title"]),
        ({"x.csv": GOOD}, ["x.csv", "--cost", 1],
         ["a cost of 1, but the log knows no revenue", "the column converted, and value or items"]),
        ({"x.csv": f"{HEAD},converted,value\nu,a,1,1,1,2"}, ["x.csv", "--cost", -1],
         ["cost is -1", "a finite number from 0 up"]),
        ({"x.csv": f"{HEAD},converted\nu,a,1,1,1\nu,b,2,1,1", "i.csv": "id,title,value\na,A,2"},
         ["x.csv", "--items", "i.csv"], ["conversion without a value", "in row 3"]),
        ({"x.csv": GOOD}, ["x.csv", "--clip", 3], ["--clip without --target"]),
        ({"x.csv": GOOD, "t.csv": "item_id,probability\na,1"}, ["x.csv", "--target", "t.csv"],
         ["the log has no column propensity", "the probability with which each item was shown"]),
        ({"x.csv": GOOD}, ["x.csv", "--target", "t.csv"], ["t.csv: No such file"]),
        ({"x.csv": GOOD, "t.csv": "item_id\na"}, ["x.csv", "--target", "t.csv"],
         ["t.csv: no column for probability, and none for rank", "a list takes item_id and rank"]),
        ({"x.csv": f"{HEAD},propensity\nu,a,1,1,1", "t.csv": "item_id,probability\na,.5"},
         ["x.csv", "--target", "t.csv"], ["t.csv: probabilities sum to 0.5, expected 1"]),
        ({"x.csv": f"{HEAD},propensity\nu,a,1,1,1", "t.csv": "item_id,rank\na,2"},
         ["x.csv", "--target", "t.csv"], ["t.csv: nothing at rank 1", "so at 1 of 1 places"]),
        ({"x.csv": f"{HEAD},propensity\nu,a,1,1,1", "t.csv": "item_id,probability\nb,1"},
         ["x.csv", "--target", "t.csv"], ["target is 0 in every row"]),
        ({"x.csv": f"{HEAD},propensity\nu,a,1,1,1", "t.csv": "item_id,probability\na,1"},
         ["x.csv", "--target", "t.csv", "--clip", 0], ["clip is 0", "a number above 0"]),
    ],
)  # fmt: skip
def test_mistakes_get_one_line_with_a_hint(run, tmp_path, monkeypatch, files, args, parts):
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "(hint: " in err
    assert all(part in err for part in parts), err
