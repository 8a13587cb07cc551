#!/usr/bin/env bash
# Builds stand-ins for images that no registry can be asked for: each from Debian's and PyPI's packages,
# tagged with the name that was asked for and labelled pbjrag.standin=true.
#
#   offline/images/build.sh python:3.11-slim haproxy:2.6-bookworm qdrant/qdrant:v1.19.0
#   offline/images/build.sh --knows python:3.12      only says, by its exit code, whether there is a stand-in
#
# Progress goes to stdout, one line per step; what the tools say goes to $PBJRAG_BUILD_LOG (default: stderr).
# Exit codes: 0 built (or already there and current), 3 there is no stand-in for a name, 1 a step failed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base_image=pbjrag-offline/debian:bookworm
log=${PBJRAG_BUILD_LOG:-/dev/stderr}
export DOCKER_BUILDKIT=0 # the classic builder is in every Docker, buildx is not

# The recipe that an image name asks for; fails when there is none.
recipe_of() {
  case $1 in
    python:3.11 | python:3.11-slim | python:3.11-bookworm | python:3.11-slim-bookworm | debian:bookworm | debian:bookworm-slim | debian:12 | debian:12-slim) echo base ;;
    haproxy:* | *haproxy*:*-bookworm) echo haproxy ;;
    qdrant/qdrant:v*) echo qdrant ;;
    *) return 1 ;;
  esac
}

# A digest of what an image is made from, kept in a label: a changed recipe makes a new image.
digest_of() {
  (cd "$here" && find "$@" -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
}

is_current() { # IMAGE DIGEST
  [ "$(docker image inspect -f '{{index .Config.Labels "pbjrag.standin.recipe"}}' "$1" 2>>"$log")" = "$2" ]
}

build_base() {
  local digest
  digest=$(digest_of base)
  if is_current "$base_image" "$digest"; then return; fi
  echo "$base_image: a Debian with Python from packages (about 30 s)"
  {
    "$here/base/bootstrap.sh" | docker import - "$base_image-import"
    printf 'FROM %s-import\n' "$base_image" | cat - "$here/base/Dockerfile" |
      docker build -q -t "$base_image" --label pbjrag.standin=true --label "pbjrag.standin.recipe=$digest" -
    docker image rm "$base_image-import" # the name only: its layer is the base's
  } >>"$log" 2>&1
}

build_on_base() { # IMAGE RECIPE SECONDS
  local image=$1 recipe=$2 digest
  digest=$(digest_of base "$recipe")
  if is_current "$image" "$digest"; then return; fi
  echo "$image: stand-in (about $3 s)"
  docker build -q -t "$image" --build-arg "BASE=$base_image" --build-arg "VERSION=${image##*:v}" \
    --label pbjrag.standin=true --label "pbjrag.standin.recipe=$digest" "$here/$recipe" >>"$log" 2>&1
}

build() { # IMAGE
  case $(recipe_of "$1") in
    base) docker tag "$base_image" "$1" ;;
    haproxy) build_on_base "$1" haproxy 15 ;;
    qdrant) build_on_base "$1" qdrant 15 ;;
  esac
}

main() {
  local image pids=() pid
  if [ "${1:-}" = --knows ]; then
    recipe_of "$2" >/dev/null || exit 3
    exit 0
  fi
  for image in "$@"; do
    recipe_of "$image" >/dev/null || { echo "$image: no stand-in can be built for this image" >&2; exit 3; }
  done
  build_base
  for image in "$@"; do
    build "$image" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

main "$@"
