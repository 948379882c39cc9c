"""Years, prices, availability and minimum ages as tables write them."""

from datetime import UTC, date, datetime

import pytest

from coldstart.catalog.item_values import (
    odd_year,
    read_age,
    read_available,
    read_price,
    read_year,
)


@pytest.mark.parametrize(
    ("cell", "year"),
    [
        ("1995", 1995), (1995.0, 1995), ("1995.0", 1995), ("-500", -500), ("1995-10-30", 1995),
        ("30-Oct-1995", 1995), ("10/30/1995", 1995), ("1995–2001", 1995), ("c. 1885", 1885),
        ("19951030", 1995), (19951030, 1995), (date(1995, 10, 30), 1995),
        (datetime(1995, 10, 30, tzinfo=UTC), 1995), ("0000-00-00", 0), ("0001-01-01", 0),
        ("20001", 20001), ("soon", "soon"), ("12/95", "12/95"),
    ],
)  # fmt: skip
def test_years(cell, year):
    assert read_year(cell) == year


def test_odd_years():
    assert [odd_year(y) for y in (19, 999, 1000, 1995, 2999, -300, None, "x")] == [
        *(True, True, False, False, True, True, False, False),
    ]


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        ("9.99", 9.99), ("$9.99", 9.99), ("9,99 €", 9.99), ("EUR 12", 12.0), ("1,299.50", 1299.5),
        ("1.299,00", 1299.0), ("1,299", 1299.0), ("1'299.00", 1299.0), ("free", 0.0), (9.5, 9.5),
        ("cheap", "cheap"), ("9-12", "9-12"), ("1 2", "1 2"),
    ],
)  # fmt: skip
def test_prices(cell, price):
    assert read_price(cell) == price


@pytest.mark.parametrize(
    ("cell", "available"),
    [
        ("in stock", True), ("In_Stock", True), ("https://schema.org/InStock", True),
        ("out of stock", False), ("Sold out", False), ("discontinued", False), ("57", True),
        ("0", False), (3, True), (True, True), ("yes", "yes"), ("maybe", "maybe"),
    ],
)  # fmt: skip
def test_availability(cell, available):
    assert read_available(cell) is available or read_available(cell) == available


@pytest.mark.parametrize(
    ("cell", "age"),
    [
        ("12", 12), (12.0, 12), ("12+", 12), ("FSK 16", 16), ("ab 6", 6), ("PG-13", 13),
        ("TV-MA", 17), ("r", 17), ("18 years", 18), ("-1", -1), ("adults", 18),
    ],
)  # fmt: skip
def test_minimum_ages(cell, age):
    assert read_age(cell) == age
