"""Let `python -m reportgen` do what the command does."""

import sys

from reportgen.cli import main

sys.exit(main())
