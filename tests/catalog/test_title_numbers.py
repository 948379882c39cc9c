"""Numbers and years of titles: one value for every spelling, and no part taken for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.title_numbers import (
    arabic_title,
    is_only_a_part,
    names_same_part,
    title_numbers,
    years_agree,
)
from coldstart.schema import Item

titles = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            "Part II 2 two Two hundred and one the The First 13th X V I Vol. 第二部 1998".split()
        )
    ).map(" ".join),
)


@pytest.mark.parametrize(
    ("title", "arabic"),
    [
        ("Rocky IV", "rocky 4"),
        ("The Godfather: Part II", "godfather part 2"),
        ("The Godfather, Part Two", "godfather part 2"),
        (
            "Star Wars: Episode V - The Empire Strikes Back",
            "star wars episode 5 the empire",
        ),
        ("Friday the 13th", "friday the 13"),
        ("One Hundred and One Dalmatians", "101 dalmatians"),
        ("Twenty-One", "21"),
        ("20,000 Leagues Under the Sea", "20000 leagues under"),
        ("Two Hundred and Twenty Two and Three", "222 and 3"),
        ("Nine to Five", "9 to 5"),
        ("Eleven Two", "11 2"),
        ("Malcolm X", "malcolm 10"),
        ("V for Vendetta", "v for vendetta"),
        ("X-Men", "x men"),
        ("I, Robot", "i robot"),
        ("Hundred and", "hundred and"),
        ("Mix", "mix"),
        ("霸王 第二部", "霸王 第2部"),
        ("霸王 第十二集", "霸王 第12集"),
    ],
)
def test_numbers_are_written_in_digits(title, arabic):
    assert arabic_title(title).startswith(arabic)


@pytest.mark.parametrize(
    ("title", "numbers"),
    [
        ("Toy Story", ()),
        ("Toy Story 1", ()),
        ("Rocky, Part One", ()),
        ("Star Wars: Episode I", ("1",)),
        ("1", ("1",)),
        ("Terminator 2: Judgment Day", ("2",)),
        ("Friday the 13th Part 2", ("13", "2")),
        ("T2", ("2",)),
        ("Nail Polish Remover, 500ml", ("500",)),
        ("警察故事2", ("2",)),
        ("Seven Brides for Seven Brothers", ("7", "7")),
        ("Code 007", ("7",)),
    ],
)
def test_numbers_of_a_title(title, numbers):
    assert title_numbers(title) == numbers


@given(titles)
def test_writing_numbers_in_digits_twice_changes_nothing(title):
    assert arabic_title(arabic_title(title)) == arabic_title(title)
    assert all(n.isdecimal() for n in title_numbers(title))


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Rocky 2", "Rocky II", 1979),
        ("Rocky Two (1979)", "Rocky II", 1979),
        ("Rocky Two (1980)", "Rocky II", 1979),
        ("Toy Story 1", "Toy Story", 1995),
        ("Kill Bill", "Kill Bill: Vol. 1", 2003),
        ("Psycho 1960", "Psycho", 1960),
        ("Psycho, 1961, restored", "Psycho", 1960),
        ("Psycho (1960)", "Psycho 1960", 1960),
        ("Psycho (1998)", "Psycho", None),
        ("Se7en", "Seven (Se7en)", 1995),
        ("Seven", "Seven (Se7en)", 1995),
        ("Zwölf Affen", "Zwölf Affen (Twelve Monkeys)", 1995),
        ("12 Monkees", "Zwölf Affen (Twelve Monkeys)", 1995),
        ("Fantasia 2000", "Fantasia 2000", 1999),
    ],
)
def test_the_same_part(text, title, year):
    assert names_same_part(text, Item(item_id="1", title=title, year=year))


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Rocky III", "Rocky II", 1982),
        ("Rocky", "Rocky II", 1979),
        ("Rocky II", "Rocky", 1976),
        ("Rocky (Part II)", "Rocky", 1976),
        ("Rocky", "Rocky (Part II)", 1979),
        ("The Godfather: Part Three", "The Godfather: Part II", 1974),
        ("Star Wars: Episode I", "Star Wars", None),
        ("Terminator 2: Judgment Day", "The Terminator", 1984),
        ("Psycho (1998)", "Psycho", 1960),
        ("Psycho 1998", "Psycho", 1960),
        ("Psycho 1998", "Psycho", None),
        ("Psycho (1998)", "Psycho (1960)", None),
        ("Fantasia", "Fantasia 2000", 1999),
        ("警察故事2", "警察故事", 1985),
        ("Remover, 500 ml", "Remover, 250 ml", None),
    ],
)
def test_another_part_or_another_year(text, title, year):
    assert not names_same_part(text, Item(item_id="1", title=title, year=year))


@given(titles.filter(lambda t: t.strip()), st.integers(1500, 2199))
def test_every_title_is_its_own_part(title, year):
    item = Item(item_id="1", title=title, year=year)
    assert names_same_part(title, item)
    assert names_same_part(f"{title} ({year})", item)
    assert not names_same_part(f"{title} ({year + 2})", item)


def test_years_of_one_release():
    assert all(years_agree(*both) for both in ((1994, 1995), (None, 1995), (1995, None)))
    assert not years_agree(1960, 1998)


@pytest.mark.parametrize("text", ["Part II", "II", "Vol. 2", "2", "Season Three", "第二部", "Ⅱ"])
def test_a_part_is_no_title(text):
    assert is_only_a_part(text)


@pytest.mark.parametrize("text", ["Se7en", "Two Towers", "Part", "Shichinin no samurai", ""])
def test_a_second_title_is_no_part(text):
    assert not is_only_a_part(text)
