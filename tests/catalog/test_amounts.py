"""Prices with a currency, and counts such as sales, as tables of many countries write them."""

import pytest

from coldstart.catalog.amounts import price_currency, read_count, read_price


@pytest.mark.parametrize(
    ("cell", "price", "currency"),
    [
        ("€34.95", 34.95, "EUR"), ("34,95 €", 34.95, "EUR"), ("EUR 1.299,00", 1299.0, "EUR"),
        ("US$ 12.50", 12.5, "USD"), ("$1,299", 1299.0, "USD"), ("12 usd", 12.0, "USD"),
        ("£5", 5.0, "GBP"), ("¥399", 399.0, "¥"), ("￥1,299", 1299.0, "¥"), ("399元", 399.0, "CNY"),
        ("RMB 399", 399.0, "CNY"), ("300元/件", 300.0, "CNY"), ("12,000원", 12000.0, "KRW"),
        ("1 299,50 руб.", 1299.5, "RUB"), ("Rs. 499", 499.0, "INR"),
        ("1\u202f299 €", 1299.0, "EUR"),
        ("from €9.99", 9.99, "EUR"), ("€9.99 – €19.99", 9.99, "EUR"), ("99元起", 99.0, "CNY"),
        ("CHF 5.-", 5.0, "CHF"), ("12.99-15.99", 12.99, ""), ("免费", 0.0, ""),
        ("on request", "on request", ""), ("9-12", "9-12", ""), ("1 2", "1 2", ""),
        ("€", "€", "EUR"),
    ],
)  # fmt: skip
def test_prices_with_their_currency(cell, price, currency):
    assert (read_price(cell), price_currency(cell)) == (price, currency)


@pytest.mark.parametrize("word", ["euros are nice", "purse", "trysail", "-5 EUR"])
def test_what_is_no_price_stays_as_it_is(word):
    assert read_price(word) == word


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        ("57", 57.0), (57, 57), ("1,234", 1234.0), ("1.234,5", 1234.5), ("21.946943", 21.946943),
        ("1 234", 1234.0), ("3.4k", 3400.0), ("1.2M", 1.2e6), ("1.2万+", 12000.0), ("3亿", 3e8),
        ("月销 300+", 300.0), ("57 ratings", 57.0), ("(1,234)", 1234.0), ("-1", "-1"),
        ("1 2", "1 2"), ("many", "many"), ("", ""),
    ],
)  # fmt: skip
def test_counts(cell, count):
    assert read_count(cell) == count
