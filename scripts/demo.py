"""`make demo`: what the gateway does, told step by step, each proven from what a fake OpenAI got.

KEEP=1 stays up afterwards. DEMO_SCRIPT names another script than addons/gateway.py.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from scripts.demo.main import main  # noqa: E402 - after the path is set

if __name__ == "__main__":
    sys.exit(main())
