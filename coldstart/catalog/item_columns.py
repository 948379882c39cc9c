"""Which column of a table holds which field of an item, by the names that people give them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping

from coldstart.errors import CatalogError

ALIASES: Mapping[str, tuple[str, ...]] = {
    "item_id": tuple(
        "itemid id movieid productid asin sku filmid bookid songid trackid gameid showid appid "
        "articleid articleno articlenumber artikelid artikelnummer artikelnr produktid "
        "productcode itemcode code uid uuid isbn isbn13 isbn10 ean gtin upc tconst imdbid tmdbid "
        "itemno itemnumber productnumber identifier item product".split()
    ),
    "title": tuple(
        "title name movietitle productname itemtitle itemname producttitle filmtitle movie "
        "moviename filmname booktitle bookname songtitle trackname tracktitle gametitle "
        "gamename primarytitle headline showtitle displayname titel bezeichnung produktname "
        "artikelname titre nom titulo nombre titolo film product item label originaltitle".split()
    ),
    "year": tuple(
        "year releaseyear yearreleased yearofrelease productionyear publicationyear "
        "publishedyear yearofpublication yearpublished originalpublicationyear pubyear startyear "
        "movieyear releasedate datereleased firstairdate publicationdate publishdate "
        "datepublished published released jahr erscheinungsjahr annee ano anno".split()
    ),
    "description": tuple(
        "description overview plot summary synopsis storyline plotsummary plotsynopsis "
        "productdescription itemdescription moviedescription longdescription shortdescription "
        "abstract blurb desc details about beschreibung handlung inhalt resume descripcion "
        "sinopsis descrizione trama tagline".split()
    ),
    "categories": tuple(
        "categories category genres genre itemcategories itemcategory productcategory "
        "productcategories maincategory listedin topics topic subjects subject kategorien "
        "kategorie genren categorie categoria categorias generos genero generi shelves "
        "maingenre primarygenre categoryname genrename producttype tags keywords".split()
    ),
    "price": tuple("price unitprice saleprice listprice preis prix precio prezzo".split()),
    "value": ("value",),
    "available": tuple("available availability instock isavailable verfugbar lieferbar".split()),
    "min_age": tuple("minage minimumage agelimit agemin fsk mindestalter".split()),
}
"""Field → column names, the first that is there; in lower case, letters and digits only."""

_PICTURES = re.compile(
    r"(?:.*[ _-])?(?:image|img|poster|cover|thumbnail|thumb|picture|photo|backdrop|artwork|icon)s?"
    r"(?:[ _-]?(?:url|link|path|file|src|href|s|m|l|small|medium|large))*",
    re.IGNORECASE,
)
_LINKS = re.compile(r"(?:.*[ _-])?(?:url|uri|link|href|homepage|website)s?", re.IGNORECASE)
_ROW_NUMBERS = re.compile(
    r"|index|unnamed:? ?_?\d+(?:_level_\d+)?|_+index_level_\d+_+|_c0|row_?num(?:ber)?",
    re.IGNORECASE,
)


def is_picture(name: str) -> bool:
    """Whether a column is named like one of pictures: kept as an attribute, nothing to read.

    >>> [is_picture(n) for n in ("poster_path", "Image-URL-S", "coverImage", "discovery")]
    [True, True, True, False]
    """
    return bool(_PICTURES.fullmatch(_spaced(name)))


def is_link(name: str) -> bool:
    """Whether a column is named like one of links, likewise."""
    return bool(_LINKS.fullmatch(_spaced(name)))


def is_row_number(name: str) -> bool:
    """Whether a column has the name that libraries give to row numbers."""
    return bool(_ROW_NUMBERS.fullmatch(name.strip()))


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())


def plain_name(name: str) -> str:
    """Column name for comparison: no case, accents, punctuation or spaces.

    >>> plain_name("Book-Title"), plain_name("releaseYear"), plain_name(" Année ")
    ('booktitle', 'releaseyear', 'annee')
    """
    bare = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in bare if c.isalnum())


def match_columns(
    names: Iterable[str], columns: Mapping[str, str | None] | None = None
) -> dict[str, str]:
    """Match item fields to columns.

    Without a column that is known to hold ids or titles, the only one whose name ends in "id", or
    in "title" or "name", is taken.

    Args:
        names: of the columns.
        columns: field → column, for columns that are not recognised by name; ``None``: none.

    Returns:
        Field → column, for the matched fields.

    Raises:
        CatalogError: an unknown field or column, or no column of ids or titles.
    """
    names, chosen = list(names), dict(columns or {})
    for field, name in chosen.items():
        for value, known in ((field, list(ALIASES)), (name, names)):
            if value is not None and value not in known:
                near = difflib.get_close_matches(value, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
                raise CatalogError(f"no {'field' if value is field else 'column'} {value!r}", hint)
    found = {field: name for field, name in chosen.items() if name is not None}
    free: dict[str, str] = {}
    for name in names:
        if name not in found.values():
            free.setdefault(plain_name(name), name)
    for field, aliases in ALIASES.items():
        for alias in aliases:
            if field not in found and field not in chosen and alias in free:
                found[field] = free.pop(alias)
    for field, endings in (("item_id", ("id",)), ("title", ("title", "name"))):
        only = [name for key, name in free.items() if key.endswith(endings)]
        if field not in found and field not in chosen and len(only) == 1:
            found[field] = free.pop(plain_name(only[0]))
    for field in ("item_id", "title"):
        if field not in found:
            if any(name.strip().replace(".", "").isdigit() for name in names):
                raise CatalogError(
                    f"no column for {field} among: {', '.join(names)}, which look like data",
                    "add a header, a row of column names",
                )
            near = difflib.get_close_matches(field, [plain_name(n) for n in names], 1, 0.7)
            likely = next((n for n in names if near and plain_name(n) == near[0]), None)
            raise CatalogError(
                f"no column for {field} among: {', '.join(names)}",
                f"name it: columns={{{field!r}: {likely!r}}}"
                if likely
                else f"name it: columns={{{field!r}: …}}",
            )
    return {field: found[field] for field in ALIASES if field in found}
