#!/usr/bin/env bash
# Installs peers, each into a virtual environment of its own below .weft-bench/peers: `bash bench/peers/install.sh dbos restate`; all without names.
set -euo pipefail
cd "$(dirname "$0")/../.."
peers=("$@")
[ ${#peers[@]} -gt 0 ] || peers=(dbos restate pgqueuer celery prefect)
for name in "${peers[@]}"; do
  bash "bench/peers/$name/install.sh"
done
