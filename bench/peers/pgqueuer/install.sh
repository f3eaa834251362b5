#!/usr/bin/env bash
# Installs pgqueuer into .weft-bench/peers/pgqueuer; does nothing where what is installed is what is asked for.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source bench/peers/installing.sh
installed pgqueuer && exit 0
python_packages pgqueuer
stamp pgqueuer
