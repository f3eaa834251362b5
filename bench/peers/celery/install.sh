#!/usr/bin/env bash
# Installs celery into .weft-bench/peers/celery; does nothing where what is installed is what is asked for.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source bench/peers/installing.sh
installed celery && exit 0
python_packages celery
stamp celery
