"""``python -m coldstart`` is ``coldstart``."""

import sys

from coldstart.cli import main
from coldstart.cli.distributed import silence_other_ranks

if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        silence_other_ranks()  # before the options are read: a wrong one is one mistake
    sys.exit(main())
