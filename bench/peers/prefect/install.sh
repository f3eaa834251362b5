#!/usr/bin/env bash
# Installs prefect into .weft-bench/peers/prefect; does nothing where what is installed is what is asked for.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source bench/peers/installing.sh
installed prefect && exit 0
python_packages prefect
stamp prefect
