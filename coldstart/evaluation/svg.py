"""Plots as embedded SVG, drawn by matplotlib; deterministic bytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from coldstart.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = "osD^vP*Xd<>hp8"


def matplotlib() -> Any:
    """The library.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import matplotlib as found
    except ImportError as e:
        raise MissingExtraError(
            "plots need matplotlib, which cannot be imported", hint="pip install matplotlib"
        ) from e
    return found


def as_svg(drawings: Mapping[str, Callable[[Axes], None]]) -> dict[str, str]:
    """Draw pictures with a grid, and a legend beside.

    Args:
        drawings: title → what fills the axes.

    Returns:
        Title → ``data:`` address of an SVG image.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    out = {}
    # A fixed salt and no date: equal figures give equal bytes.
    with matplotlib().rc_context({"svg.hashsalt": "coldstart", "font.size": 9}):
        from matplotlib.figure import Figure

        for title, draw in drawings.items():
            figure = Figure(figsize=(8.5, 4.5), layout="constrained")
            axes = figure.add_subplot()
            draw(axes)
            axes.grid(alpha=0.3)
            figure.legend(loc="outside right center", frameon=False)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="svg", metadata={"Date": None})
            coded = base64.b64encode(buffer.getvalue()).decode()
            out[title] = f"data:image/svg+xml;base64,{coded}"
    return out


def label_of(name: str) -> str:
    """A name that matplotlib takes for no formula, and no label to hide."""
    return name.replace("$", r"\$").replace("\n", " ").lstrip("_") or "system"
