import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from coldstart.tabular.cells import MISSING_WORDS, as_text, is_missing


@pytest.mark.parametrize(
    "value",
    [None, math.nan, np.float32("nan"), pd.NA, pd.NaT, "", "  ", "nan", " NaN ", "NULL", r"\N"],
    ids=str,
)
def test_no_value_is_no_value_whatever_wrote_it(value):
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, 0.0, False, "0", "Nan", "Null", "none", "N", [], "-"])
def test_names_and_zeros_are_values(value):
    assert not is_missing(value)


def test_the_words_are_those_of_pandas_and_mysql():
    from pandas._libs.parsers import STR_NA_VALUES

    assert STR_NA_VALUES <= MISSING_WORDS
    assert MISSING_WORDS - STR_NA_VALUES == {"NAN", "NaT", r"\N"}


def test_texts_of_ids_do_not_depend_on_their_type():
    same = [7, 7.0, "7", Decimal("7.00"), np.int64(7), np.float64(7), b"7"]
    assert {as_text(v) for v in same} == {"7"}
    assert as_text(Decimal("7.50")) == "7.50"
