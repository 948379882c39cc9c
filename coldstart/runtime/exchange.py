"""Atomic exchange of two paths of one file system, where the operating system offers it."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_AT_FDCWD = {"linux": -100, "darwin": -2}
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two existing paths in one step: no moment exists at which either is missing.

    Args:
        one: file or folder.
        other: likewise, on the same file system.

    Returns:
        ``False`` if the operating system or the file system cannot do it; nothing has changed then.

    Raises:
        OSError: the exchange is supported and failed, such as for a missing path.
    """
    name = {"linux": "renameat2", "darwin": "renameatx_np"}.get(sys.platform)
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None) if name else None
    if function is None:
        return False
    here = ctypes.c_int(_AT_FDCWD[sys.platform])
    paths = [ctypes.c_char_p(os.fsencode(path)) for path in (one, other)]
    if function(here, paths[0], here, paths[1], ctypes.c_uint(_EXCHANGE)) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))


def sync(path: Path) -> None:
    """Have the operating system write a file or, where it can, a folder's entries to the disk."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # folders on Windows
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """``sync`` every file and folder below a folder, and the folder itself."""
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            if os.path.isfile(os.path.join(place, name)):
                sync(Path(place, name))
        sync(Path(place))
