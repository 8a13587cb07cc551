#!/usr/bin/env bash
# Makes the sample app's git repository, the same everywhere down to the commit ids:
#
#   offline/sample-app/make-repo.sh DIR
#
# Each tag is base/ with the overlays named below on top. v2.9.0 has Streamlit 1.40 on Tornado, all later ones Streamlit 1.67 on
# Starlette and uvicorn. v2.9.0, v3.0.0 and v3.3.0 work. Two are broken on purpose, to show what a release is saved from: the script
# of v3.1.0 raises at import while its server is healthy, and v3.2.0 exits at once. Does nothing when DIR was made from the same files.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
target=$1
digest=$(cd "$here" && find . -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
if [ "$(cat "$target/.git/made-from" 2>/dev/null)" = "$digest" ]; then exit 0; fi

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME='PBJRAG sample' GIT_AUTHOR_EMAIL=sample@pbjrag.invalid
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL

mkdir -p "$(dirname "$target")"
work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
git init -q --template= --initial-branch=main "$work"

release() { # TAG DATE MESSAGE OVERLAY...
  local tag=$1 message=$3 overlay
  export GIT_AUTHOR_DATE=$2 GIT_COMMITTER_DATE=$2
  find "$work" -mindepth 1 -maxdepth 1 -not -name .git -exec rm -rf {} +
  cp -R "$here/base/." "$work/"
  for overlay in "${@:4}"; do cp -R "$here/overlays/$overlay/." "$work/"; done
  find "$work" -name __pycache__ -prune -exec rm -rf {} +
  git -C "$work" add --all
  git -C "$work" commit -q -m "$message"
  git -C "$work" tag -a -m "$message" "$tag"
}

release v2.9.0 2024-03-04T10:00:00Z 'Upload, index and search files'
release v3.0.0 2024-05-06T10:00:00Z 'Three tabs, the release in the side bar, Streamlit 1.67' v3.0.0
release v3.1.0 2024-06-03T10:00:00Z 'Take the store from a package of its own' v3.0.0 v3.1.0
release v3.2.0 2024-06-10T10:00:00Z 'Check the settings before the start' v3.0.0 v3.2.0
release v3.3.0 2024-06-17T10:00:00Z 'Take the store from the app again, start without a licence' v3.0.0 v3.3.0

printf '%s\n' "$digest" >"$work/.git/made-from"
rm -rf "$target"
mv "$work" "$target"
