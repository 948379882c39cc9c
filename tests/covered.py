"""Print how many lines of the package the tests ran, and the files of which they ran few.

    python tests/covered.py build/coverage.json

What ran in processes that the tests started is not counted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FEW = 80  # per cent


def report(measured: dict) -> str:
    """The total, and a line for each file below ``FEW`` per cent.

    Args:
        measured: SlipCover's JSON.
    """
    shares = {
        name: about["summary"]["percent_covered"] for name, about in measured["files"].items()
    }
    few = sorted((share, name) for name, share in shares.items() if share < FEW)
    total = measured["summary"]
    lines = total["covered_lines"] + total["missing_lines"]
    head = f"covered: {total['percent_covered']:.1f} % of {lines:,} lines in {len(shares)} files"
    return "\n".join([head, *(f"  {share:5.1f} %  {name}" for share, name in few)])


if __name__ == "__main__":
    sys.stdout.write(report(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))) + "\n")
