"""``python -m coldstart`` is ``coldstart``."""

from coldstart.cli import main

if __name__ == "__main__":
    main()
