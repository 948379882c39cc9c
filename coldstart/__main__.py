"""``python -m coldstart`` is ``coldstart``."""

import sys

from coldstart.cli import main
from coldstart.cli.launched import hush

if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        hush()  # before the options are read: a wrong one is one mistake
    sys.exit(main())
