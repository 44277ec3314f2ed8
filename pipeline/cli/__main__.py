"""``python -m pipeline.cli``: how the supervisor starts workers."""

import sys

from pipeline.cli import main

sys.exit(main())
