"""A process that starts a stack and holds it, to be killed by tests: `python holding.py <data_dir>`."""

import sys
import time
from pathlib import Path

from weft.stack import Stack

if __name__ == "__main__":
    running = Stack(Path(sys.argv[1])).start()
    print(running.database_url, flush=True)
    time.sleep(300)
