"""`python -m douse`, for a machine where the folder of scripts is not on the PATH."""

import sys

from douse.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
