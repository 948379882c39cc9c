"""Input of the commands, and the form of their errors."""

from __future__ import annotations

import io


def fails(result, *parts):
    """Exit code 2, nothing on stdout, one line on stderr that holds ``parts``."""
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err
    return err


def stdin(monkeypatch, text):
    data = text if isinstance(text, bytes) else text.encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
