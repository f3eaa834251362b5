#!/usr/bin/env bash
# Installs restate into .weft-bench/peers/restate; does nothing where what is installed is what is asked for.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source bench/peers/installing.sh
installed restate && exit 0
python_packages restate
node_packages restate
ln -sfn "$(native_program restate @restatedev restate-server)" .weft-bench/peers/restate/venv/bin/restate-server
stamp restate
