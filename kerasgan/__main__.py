"""`python -m kerasgan`: the command, where scripts of the installation are not on the path."""

import sys

from kerasgan.cli import main

if __name__ == "__main__":
    sys.exit(main())
