#!/usr/bin/env bash
# Installs dbos into .weft-bench/peers/dbos; does nothing where what is installed is what is asked for.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source bench/peers/installing.sh
installed dbos && exit 0
python_packages dbos
stamp dbos
