#!/usr/bin/env bash
# Thin wrapper: set-up, then the `pulumi` command of the one CLI in scripts/cli.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib/cli.sh"
run_cli pulumi "$@"
