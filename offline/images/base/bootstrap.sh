#!/usr/bin/env bash
# Writes the root file system of a small Debian bookworm with Python to standard output, as a tar, from wherever this
# machine's apt gets its packages. Where that is not Debian's bookworm, mmdebstrap knows a place.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# shellcheck disable=SC2016 # the $(...) are apt's
sources=$(apt-get indextargets --format '$(LABEL)|$(CODENAME)|$(REPO_URI)|$(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
  awk -F'|' '$1 ~ /^Debian(-Security)?$/ && $2 ~ /^bookworm(-updates|-security)?$/ {print "deb " $3 " " $2 " " $4}' | sort -u)
mapfile -t proxies < <(apt-config dump --format='--aptopt=%f "%v"%n' Acquire::http::Proxy Acquire::https::Proxy | grep -v '""$')

exec mmdebstrap --variant=minbase --include=ca-certificates,python3-venv --quiet "${proxies[@]}" \
  --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --customize-hook="'$here/customize.sh' \"\$1\"" bookworm - ${sources:+"$sources"}
