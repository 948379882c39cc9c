import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.errors import DataError
from coldstart.evaluation.off_policy.logged_feedback import InteractionLog, LoggedRequest
from coldstart.schema import Item

ROWS = {
    "user_id": ["u", "u", "v", "v"],
    "item_id": ["7", "8", "7", "9"],
    "rank": [2, 1, 1, 2],
    "clicked": [0, 1, 1, 0],
    "converted": [0, 1, 0, 0],
    "value": [None, 3.5, 2.0, None],
    "propensity": [0.5, 1.0, 0.25, 0.125],
    "timestamp": [20.0, 20.0, 10.0, 10.0],
    "request_id": ["a", "a", "b", "b"],
}


def frame(**changed):
    return pl.DataFrame({**ROWS, **changed}, strict=False)


def without(*names):
    return frame().drop(*names)


def refused(table, match):
    with pytest.raises(DataError, match=match) as caught:
        InteractionLog.from_frame(table)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_log_gives_requests_rewards_and_propensities():
    log = InteractionLog.from_frame(frame())
    assert len(log) == 4
    assert log.requests == (
        LoggedRequest("a", "u", 20.0, ("8", "7")),  # by rank, not by row
        LoggedRequest("b", "v", 10.0, ("7", "9")),
    )
    assert log.rewards == ("clicked", "converted", "revenue")
    assert log.reward("clicked").tolist() == [0, 1, 1, 0]
    assert log.reward("converted").tolist() == [0, 1, 0, 0]
    assert log.reward("revenue").tolist() == [0, 3.5, 0, 0]  # a value without conversion is none
    assert log.propensities.tolist() == [0.5, 1.0, 0.25, 0.125]


def test_every_kind_of_file_gives_the_same_log(tmp_path):
    flags = pl.col("clicked", "converted").cast(pl.Boolean)
    table = frame().with_columns(flags, pl.col("item_id").cast(pl.Int64))
    table.write_csv(tmp_path / "a.csv")  # "true", "false"
    table.write_csv(tmp_path / "a.tsv", separator="\t")
    table.write_parquet(tmp_path / "a.parquet")
    table.write_ndjson(tmp_path / "a.jsonl")
    ids = pl.col("item_id").cast(pl.Float64), pl.col("user_id").cast(pl.Categorical)
    table.with_columns(*ids).write_parquet(tmp_path / "b.parquet")
    logs = [InteractionLog.load(path) for path in sorted(tmp_path.iterdir())]
    assert len(logs) == 5
    for log in logs:
        assert log.table.equals(InteractionLog.from_frame(frame()).table)


def test_columns_are_found_whatever_their_case_and_others_are_ignored():
    names = {
        "user_id": "userId",
        "item_id": "movieId",
        "request_id": "Request ID",
        "rank": "Rank",
    }
    table = frame(colour="blue").rename(names)
    assert InteractionLog.from_frame(table).table.equals(InteractionLog.from_frame(frame()).table)


def test_only_four_columns_are_needed_and_empty_optional_ones_are_none():
    for table in (
        without("converted", "value", "propensity", "timestamp", "request_id"),
        frame(converted=None, value="", propensity=None, timestamp=" ", request_id=None),
    ):
        log = InteractionLog.from_frame(table)
        assert log.rewards == ("clicked",)
        assert [r.shown for r in log.requests] == [("8", "7"), ("7", "9")]  # one list per user
        assert log.requests[0].timestamp is None
        with pytest.raises(DataError, match="knows no 'revenue', only clicked"):
            log.reward("revenue")
        with pytest.raises(DataError, match="no column propensity"):
            _ = log.propensities


def test_without_request_ids_user_and_time_make_a_request():
    times = ["1970-01-02", "1970-01-02T01:00:00+01:00", "5", "6"]
    log = InteractionLog.from_frame(frame(timestamp=times).drop("request_id"))
    assert [(r.user_id, r.timestamp, r.shown) for r in log.requests] == [
        ("u", 86400.0, ("8", "7")),
        ("v", 5.0, ("7",)),
        ("v", 6.0, ("9",)),
    ]


def test_request_ids_need_to_be_unique_per_user_only():
    log = InteractionLog.from_frame(frame(request_id=["1"] * 4))
    assert [r.shown for r in log.requests] == [("8", "7"), ("7", "9")]


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_times_may_be_datetimes(zone):
    moment = pl.Series([86_400_000] * 4).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    moment = moment.dt.convert_time_zone(zone) if zone else moment.dt.replace_time_zone(None)
    log = InteractionLog.from_frame(frame().with_columns(timestamp=moment))
    assert log.table["timestamp"].to_list() == [86400.0] * 4


def test_the_catalog_gives_values_that_the_log_lacks():
    items = [Item(item_id=i, title=i, value=v) for i, v in (("7", 10.0), ("8", 20.0), ("9", None))]
    conversions = {"converted": [1, 1, 0, 0]}
    log = InteractionLog.from_frame(frame(**conversions), Catalog(items))
    assert log.reward("revenue").tolist() == [10.0, 3.5, 0, 0]  # its own value comes first
    log = InteractionLog.from_frame(frame(**conversions).drop("value"), Catalog(items))
    assert log.reward("revenue").tolist() == [10.0, 20.0, 0, 0]
    with pytest.raises(DataError, match="conversion without a value, expected .* in row 5"):
        InteractionLog.from_frame(frame(converted=[1, 1, 0, 1]).drop("value"), Catalog(items))
    worthless = Catalog([Item(item_id="7", title="x")])
    log = InteractionLog.from_frame(frame(**conversions).drop("value"), worthless)
    assert log.rewards == ("clicked", "converted")


# -- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "bad", "match"),
    [
        ("clicked", 2, "clicked is '2', expected 0 or 1, in row 3"),
        ("clicked", 0.5, "clicked is '0.5', expected 0 or 1"),
        ("clicked", "yes", "clicked is 'yes', expected 0 or 1"),
        ("clicked", None, "clicked is empty, expected 0 or 1, in row 3"),
        ("converted", -1, "converted is '-1', expected 0 or 1"),
        ("converted", None, "converted is empty, expected 0 or 1"),
        ("rank", 0, "rank is '0', expected a whole number from 1 up, in row 3"),
        ("rank", 1.5, r"rank is '1\.5', expected a whole number"),
        ("rank", float("nan"), "rank is 'nan', expected a whole number"),
        ("rank", 1e300, "rank is '1000.*…', expected a whole number"),
        ("rank", "first", "rank is 'first', expected a whole number"),
        ("propensity", 0, "propensity is '0', expected a probability above 0 and up to 1"),
        ("propensity", 1.01, r"propensity is '1\.01', expected a probability"),
        ("propensity", -0.1, r"propensity is '-0\.1', expected a probability"),
        ("propensity", float("nan"), "propensity is 'nan', expected a probability"),
        ("propensity", None, "propensity is empty, expected a probability"),
        ("value", float("inf"), "value is 'inf', expected a finite number"),
        ("value", "much", "value is 'much', expected a finite number"),
        ("timestamp", "soon", "timestamp is 'soon', expected a number or an ISO 8601 time"),
        ("timestamp", None, "timestamp is empty, expected a number or an ISO 8601 time"),
        ("user_id", " ", "user_id is empty, expected an id, in row 3"),
        ("item_id", None, "item_id is empty, expected an id"),
        ("request_id", None, "request_id is empty, expected an id"),
    ],
)
def test_a_bad_cell_is_named(column, bad, match):
    values = [ROWS[column][0], bad, *ROWS[column][2:]]
    kind = pl.String if isinstance(bad, str) else None
    values = [None if v is None else str(v) for v in values] if kind else values
    table = frame().with_columns(pl.Series(column, values, dtype=kind, strict=False))
    assert "the header is row 1; nothing was loaded" in refused(table, match).hint


def test_all_bad_cells_are_named_at_once():
    bad = frame(clicked=[2, 2, 3, 0], rank=[0, 1, 1, 2], propensity=[1.0, 9.0, 1.0, 1.0])
    error = refused(bad, "clicked is '2', expected 0 or 1, in rows 2, 3; clicked is '3'")
    assert "rank is '0'" in error.message
    assert "propensity is '9'" in error.message


def test_many_problems_are_cut_and_rows_of_json_lines_count_from_one(tmp_path):
    path = tmp_path / "log.jsonl"
    rows = [{"user_id": "u", "item_id": "i", "rank": 1, "clicked": n} for n in range(2, 10)]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match="clicked is '2'.* in row 1;.*and 3 other problems") as e:
        InteractionLog.load(path)
    assert str(path) in e.value.message
    assert e.value.hint.startswith("the first row is row 1")


def test_missing_columns_are_named_with_what_is_there():
    error = refused(without("clicked", "rank"), "no column for rank, clicked; found: user_id, item")
    assert error.hint.startswith("needed: user_id, item_id, rank, clicked; optional: converted")


def test_empty_logs_are_refused():
    refused(frame().clear(), "no rows .expected one row per shown item")
    refused(pl.DataFrame(), "no column for user_id, item_id, rank, clicked; found: none")


def test_other_things_than_frames_and_columns_of_lists_are_refused():
    refused({"user_id": ["u"]}, "expected a polars DataFrame, got dict")
    refused(frame().with_columns(item_id=pl.Series([["7"]] * 4)), "column item_id holds List")


def test_a_rank_or_item_twice_in_one_request_is_refused():
    refused(frame(rank=[1, 1, 1, 2]), "rank repeats within a request, .* in rows 2, 3")
    refused(
        frame(item_id=["7", "8", "9", "9"]), "item_id repeats within a request, .* in rows 4, 5"
    )
    refused(
        frame(user_id="u").drop("request_id", "timestamp"), "rank repeats within a request, .*row"
    )


@given(st.permutations(range(4)))
def test_the_order_of_rows_does_not_matter(order):
    log = InteractionLog.from_frame(frame()[list(order)])
    assert set(log.requests) == set(InteractionLog.from_frame(frame()).requests)
    assert log.reward("revenue").tolist() == [[0, 3.5, 0, 0][n] for n in order]
