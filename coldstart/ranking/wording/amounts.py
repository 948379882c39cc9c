"""Prices in words, with their currency."""

from __future__ import annotations

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "CNY": "¥", "JPY": "¥", "INR": "₹", "KRW": "₩"}


def amount(price: float, currency: str = "") -> str:
    """A price as shops write it.

    Args:
        price: amount.
        currency: its code; empty if unknown.

    >>> amount(17.9, "EUR"), amount(300, "CNY"), amount(12.5, "CHF"), amount(9.99)
    ('€17.90', '¥300', '12.50 CHF', '9.99')
    """
    number = f"{price:,.0f}" if float(price).is_integer() else f"{price:,.2f}"
    if currency in _SIGNS:
        return _SIGNS[currency] + number
    return f"{number} {currency}".strip()
