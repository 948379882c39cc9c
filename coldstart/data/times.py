"""Parse the times of a table: seconds or milliseconds since 1970, ISO 8601, and other dates."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from coldstart.tabular.cells import is_missing

TIME_NAMES = (
    "timestamp", "time", "datetime", "date", "unixReviewTime", "created_at", "created", "ts",
    "event_time", "event_timestamp", "event_date", "unix_time", "unix_timestamp", "epoch", "at",
    "rated_at", "rating_date", "rating_time", "rating_timestamp",
    "reviewed_at", "review_time", "review_date", "review_timestamp", "ordered_at", "order_date",
    "order_time", "order_purchase_timestamp", "purchased_at", "purchase_date", "purchase_time",
    "bought_at", "watched_at", "watch_date", "viewed_at", "view_date", "visited_at", "visit_date",
    "clicked_at", "click_time", "played_at", "listened_at", "read_at", "liked_at", "added_at",
    "date_added", "invoice_date", "transaction_date", "transaction_time", "interaction_time",
    "interaction_date", "last_modified", "updated_at", "modified_at", "when",
    "t_dat", "day_of_order", "creation_date", "create_time", "creation_time", "logged_at",
    # German, Dutch, Scandinavian
    "datum", "zeit", "zeitpunkt", "zeitstempel", "bestelldatum", "kaufdatum", "bewertungsdatum",
    "bestellzeit", "bestellt_am", "gekauft_am", "erstellt_am", "angesehen_am", "bewertet_am",
    "tijd", "tijdstip", "besteldatum", "aankoopdatum", "dato", "tidspunkt", "ostodatum",
    # French, Spanish, Portuguese, Italian
    "date_achat", "date_commande", "date_creation", "date_avis", "date_heure", "horodatage",
    "cree_le", "fecha", "hora", "fecha_hora", "fecha_compra", "fecha_pedido", "fecha_creacion",
    "creado_en", "data", "data_hora", "data_compra", "data_pedido", "criado_em", "data_ora",
    "data_acquisto", "data_ordine", "creato_il",
    # Polish, Czech, Russian, Turkish, Chinese, Japanese, Korean
    "data_zakupu", "data_zamowienia", "czas", "datum_nakupu", "дата", "время",
    "дата_покупки", "дата_заказа", "tarih", "zaman", "日期", "时间", "時間", "日時", "日付",
    "购买日期", "날짜", "시간",
)  # fmt: skip
"""Names of columns of times, the surest first."""
VAGUE_TIME_NAMES = frozenset({"at", "when", "created", "data", "hora", "creele", "updatedat"})
"""Names, as ``name_key`` makes them, that mean a time only where all cells are times."""

_FORMATS = (
    "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%y", "%Y.%m.%d", "%Y.%m.%d %H:%M:%S",
    "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%m %d, %Y",
    "%b %d, %Y %H:%M:%S", "%d/%b/%Y:%H:%M:%S %z", "%a %b %d %H:%M:%S %z %Y",
    "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S", "%Y-%m",
)  # fmt: skip
_SLASHED = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d\d)(?:[ T](.+))?")
_ZONES = re.compile(r"\s*(?:UTC|GMT|Z)$")
_UNITS = ((1e17, 1e9, "nanoseconds"), (1e14, 1e6, "microseconds"), (1e11, 1e3, "milliseconds"))
_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?")


@dataclass(frozen=True)
class Times:
    """Times of a column.

    Args:
        seconds: since 1970, or the numbers as they are; ``None`` where missing or bad.
        bad: places of the cells that are no times.
        notes: how they were read.
        warnings: whatever looks like a mistake.
    """

    seconds: list[float | None]
    bad: tuple[int, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def number_of(value: object) -> float | None:
    """Parse a finite number; a comma may separate the decimals."""
    try:
        text = (
            value.replace(",", ".") if isinstance(value, str) and value.count(",") == 1 else value
        )
        number = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def as_time(value: object) -> float | None:
    """Parse a time: a number, or ISO 8601 (UTC if without a zone) as seconds since 1970."""
    if (number := number_of(value)) is not None:
        return number
    return _iso(value)


def _iso(value: object) -> float | None:
    if isinstance(value, datetime):
        return _seconds(value)
    if isinstance(value, date):
        return _seconds(datetime(value.year, value.month, value.day))
    text = str(value).strip()
    for candidate in (text, _ZONES.sub("", text), text.replace("/", "-", 2)):
        try:
            return _seconds(datetime.fromisoformat(candidate))
        except ValueError:
            continue
    return None


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_times(values: Sequence[Any]) -> Times:
    """Parse a column of times.

    Numbers of the size of milliseconds, microseconds or nanoseconds since 1970 become seconds, also
    where a column mixes them; ``20240131`` and ``20240131123000`` are dates if all numbers are.
    Days and months with slashes are told apart by the numbers above 12; if there are none, or on
    both sides, the cells are bad.

    Args:
        values: cells; a missing one has no time.
    """
    distinct = {v for v in values if not is_missing(v)}
    numbers = {v: n for v in distinct if (n := number_of(v)) is not None}
    notes: list[str] = []
    warnings: list[str] = []
    made: dict[Any, float | None] = dict(numbers)
    if compact := _compact(numbers):
        made |= compact
        notes.append("dates of digits, such as 20240131")
    else:
        made |= _in_seconds(numbers, [v for v in values if v in numbers], notes, warnings)
    texts = distinct - numbers.keys()
    made |= _dates(texts, warnings)
    if numbers and texts and any(made[v] is not None for v in texts):
        warnings.append("times are numbers in some rows and dates in others")
    seconds = [None if is_missing(v) else made[v] for v in values]
    bad = tuple(
        n for n, (v, s) in enumerate(zip(values, seconds, strict=True)) if s is None and v in made
    )
    return Times(seconds, bad, tuple(notes), tuple(warnings))


def looks_like_times(values: Sequence[Any]) -> bool:
    """Whether all cells of a column are dates, or numbers of the size of seconds since 1970."""
    distinct = {v for v in values if not is_missing(v)}
    if not distinct or any(isinstance(v, bool | list | dict) for v in distinct):
        return False
    numbers = [number_of(v) for v in distinct]
    if None not in numbers:
        sizes = [abs(n or 0.0) for n in numbers]
        since = all(8e8 < s < 2.2e9 or 8e11 < s < 2.2e12 for s in sizes)
        return since or _compact(dict(zip(distinct, sizes, strict=True))) is not None
    found = _dates({v for v, n in zip(distinct, numbers, strict=True) if n is None}, [])
    return all(s is not None for s in found.values()) and not any(n is not None for n in numbers)


def looks_like_clock(values: Sequence[Any]) -> bool:
    """Whether all cells are times of a day without a date."""
    texts = [str(v).strip() for v in values if not is_missing(v)]
    return bool(texts) and all(_CLOCK.fullmatch(t) for t in texts)


def _compact(numbers: dict[Any, float]) -> dict[Any, float] | None:
    """Dates of eight or fourteen digits; ``None`` unless all numbers are."""
    made: dict[Any, float] = {}
    for value, number in numbers.items():
        digits = f"{number:.0f}"
        form = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}.get(len(digits))
        if form is None or number != int(number) or not "1900" <= digits[:4] <= "2100":
            return None
        try:
            made[value] = _seconds(datetime.strptime(digits, form))
        except ValueError:
            return None
    return made or None


def _in_seconds(
    numbers: dict[Any, float], rows: Sequence[Any], notes: list[str], warnings: list[str]
) -> dict[Any, float | None]:
    """Convert numbers of a smaller unit than seconds."""
    units = {v: _unit(n) for v, n in numbers.items()}
    counts = Counter(units[v][1] for v in rows)
    small = [name for name in counts if name != "seconds"]
    if small:
        notes.append(f"{' and '.join(small)} made seconds")
    if len(counts) > 1:
        mixed = ", ".join(f"{n:,} of {name}" for name, n in counts.most_common())
        warnings.append(f"times mix units ({mixed}); all are made seconds")
    return {v: n / units[v][0] for v, n in numbers.items()}


def _unit(number: float) -> tuple[float, str]:
    return next(
        ((divisor, name) for least, divisor, name in _UNITS if abs(number) >= least),
        (1.0, "seconds"),
    )


def _dates(texts: Iterable[Any], warnings: list[str]) -> dict[Any, float | None]:
    made = {v: _iso(v) for v in texts}
    left = [v for v, s in made.items() if s is None]
    slashed = {v: m for v in left if (m := _SLASHED.fullmatch(str(v).strip()))}
    if day_first := _day_first(slashed.values()):
        made |= {v: _slashed(m, day_first == "days") for v, m in slashed.items()}
    elif slashed:
        example = str(next(iter(slashed)))
        warnings.append(f"{example!r} may name the day or the month first")
    for value in left:
        if made[value] is None and value not in slashed:
            made[value] = _formatted(str(value).strip())
    return made


def _day_first(found: Iterable[re.Match[str]]) -> str | None:
    """``days`` or ``months``, whichever come first; ``None`` if the numbers do not say."""
    pairs = {(int(m[1]), int(m[3])) for m in found}
    days = any(first > 12 for first, _ in pairs)
    months = any(second > 12 for _, second in pairs)
    if days == months:
        return None
    return "days" if days else "months"


def _slashed(match: re.Match[str], day_first: bool) -> float | None:
    day, month = (match[1], match[3]) if day_first else (match[3], match[1])
    year = match[4] if len(match[4]) == 4 else f"20{match[4]}"
    clock = match[5] or "00:00"
    parse: tuple[Callable[[str], datetime], ...] = (
        datetime.fromisoformat,
        lambda text: datetime.strptime(text, "%Y-%m-%d %I:%M %p"),
        lambda text: datetime.strptime(text, "%Y-%m-%d %I:%M:%S %p"),
        lambda text: datetime.strptime(text, "%Y-%m-%d %H:%M"),
    )
    for one in parse:
        try:
            return _seconds(one(f"{year}-{int(month):02d}-{int(day):02d} {clock}"))
        except ValueError:
            continue
    return None


def _formatted(text: str) -> float | None:
    for form in _FORMATS:
        try:
            return _seconds(datetime.strptime(text, form))
        except ValueError:
            continue
    return None
