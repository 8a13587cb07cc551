#!/usr/bin/env bash
# Makes this machine ready for a release: node packages, Docker, Pulumi, images, the sample app. See --help.
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$project"
state=.release/setup
stamp=$state/stamp
mode=auto
images=()

usage() {
  cat <<'EOF'
Usage: scripts/setup.sh [--offline | --online] [--image NAME]...

Makes this machine ready, and does nothing where it is already. Called by every other script.

  node        22.15 or newer, else a newer one beside it, in .release/node; the packages of package-lock.json; the compiled program in dist/
  Docker      what is there, else started, else installed (Debian, as root)
  restic      where a stack's file names a repository for its backups: installed (Debian, as root)
  Pulumi      what is on PATH, else npm's `pulumi` launcher
  images      what is there, else from their registry

What is out of reach is replaced by a stand-in from offline/, with a line saying so; later runs keep to that choice.

  --offline       use stand-ins only, ask for nothing that they replace
  --online        refuse stand-ins: replace those in use, or fail
  --image NAME    an image that is needed, once for each (default: $PBJRAG_IMAGES, else
                  python:3.11-slim haproxy:2.6-bookworm qdrant/qdrant:v1.19.0)
  --help          this text

Progress goes to standard error, details to .release/setup/*.log.
Exit codes: 0 ready, 2 not ready (the last lines say what to do), 130 interrupted.

Examples:
  scripts/setup.sh
  scripts/setup.sh --online --image qdrant/qdrant:v1.19.1
EOF
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h) usage; exit 0 ;;
      --offline | --online) mode=${1#--} ;;
      --image) images+=("${2:?--image needs a name}"); shift ;;
      *) echo "setup: unknown argument $1; see scripts/setup.sh --help" >&2; exit 2 ;;
    esac
    shift
  done
  if [ ${#images[@]} -eq 0 ]; then
    read -r -a images <<<"${PBJRAG_IMAGES:-python:3.11-slim haproxy:2.6-bookworm qdrant/qdrant:v1.19.0}"
  fi
}

# The pulumi command that this machine has, ours left out.
real_pulumi() {
  type -P -a pulumi | grep -vxF "$project/.release/bin/pulumi" | head -n 1
}

# The node that this machine has, one that a set-up brought (here, or for whoever calls this) left out.
own_node() {
  local file
  while read -r file; do
    [[ $file == */.release/node/bin/node ]] || { echo "$file"; return; }
  done < <(type -P -a node)
}

# What Docker's own command line would ask, as DOCKER_HOST: nothing that is started from here has to know contexts. A call of it only where
# one is named.
settle_docker_host() {
  local host
  if [ -n "${DOCKER_HOST:-}" ]; then return; fi
  if [ -z "${DOCKER_CONTEXT:-}" ] && ! grep -qs '"currentContext"' "${DOCKER_CONFIG:-${HOME:-}/.docker}/config.json"; then return; fi
  if ! type -P docker >/dev/null; then return; fi
  if ! host=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || [ -z "$host" ]; then
    echo "setup: REFUSED: [3/6] Docker: its context ${DOCKER_CONTEXT:-, which docker context use named,} is not there. Next: docker context ls lists those that are; DOCKER_CONTEXT=default is this machine's" >&2
    exit 2
  fi
  if [ "$host" != unix:///var/run/docker.sock ]; then export DOCKER_HOST=$host; fi
}

# Whether a former run's stamp covers this one. Kept to a find and one call of Docker: it precedes every command.
is_current() {
  local node='' node_brought=unknown pulumi='' pulumi_seen='' docker_host='' restic='' real='' standin='' name
  [ -f "$stamp" ] || return 1
  # A stamp from the future (a clock that was set back): what changes now would look older than it.
  [ -z "$(find "$stamp" -newermt '+1 minute' -print)" ] || return 1
  # shellcheck source=/dev/null # name='value' lines that finish() wrote
  source "$stamp"
  [ "$docker_host" = "${DOCKER_HOST:-}" ] && [ "$node" = "$(own_node)" ] && [ "$pulumi_seen" = "$(real_pulumi)" ] || return 1
  # "": this machine's own node is new enough.
  [ -z "$node_brought" ] || { [ "$node_brought" = "$(<.node-version)" ] && [ "$(cat .release/node/version 2>/dev/null)" = "$node_brought" ]; } || return 1
  [ "$pulumi" = path ] || [ -x .release/bin/pulumi ] || return 1
  for name in "${images[@]}"; do
    case $mode in
      auto) [[ " $real $standin " == *" $name "* ]] || return 1 ;;
      offline) [[ $pulumi == stand-in && " $standin " == *" $name "* ]] || return 1 ;;
      online) [[ $pulumi != stand-in && " $real " == *" $name "* ]] || return 1 ;;
    esac
  done
  ! lacks_restic || [ "$EUID" -ne 0 ] || [ "$restic" = none ] || return 1
  [ -f node_modules/.package-lock.json ] || return 1
  for name in cli.cjs program.cjs provider.cjs backup.code.cjs restore.code.cjs; do [ -f "dist/$name" ] || return 1; done
  [ -z "$(find index.ts tsconfig.json package-lock.json components scripts offline test -newer "$stamp" \
    \( -name '*.ts' -o -name '*.json' -o -type d -o -path 'offline/images/*' -o -path 'offline/sample-app/*' \) -print -quit)" ] || return 1
  docker_inspects
}

# Whether a stack (or a test, which sets PBJRAG_RESTIC) sends its backups to a repository, and what does it is not here.
lacks_restic() { ! command -v restic >/dev/null && { [ -n "${PBJRAG_RESTIC:-}" ] || grep -qsE '^ +repository:' Pulumi.*.yaml; }; }

# A daemon that hangs is waited for once.
docker_hangs=''
docker_inspects() {
  local status=0
  [ -z "$docker_hangs" ] || return 1
  timeout 10 docker image inspect "${images[@]}" >/dev/null 2>&1 || status=$?
  [ "$status" -ne 124 ] || docker_hangs=1
  return "$status"
}

# Runs the branches side by side, as far as they do not need each other. Each leaves its findings in a file.
set_up() {
  local branch failed=0 pids=()
  check_node
  check_docker_settings
  touch "$state/started"
  for branch in packages docker_and_images pulumi sample_app; do
    "set_up_$branch" &
    pids+=($!)
  done
  # shellcheck disable=SC2064 # these ids, now
  trap "stop_tree ${pids[*]}; say 'interrupted'; exit 130" INT TERM
  for branch in "${pids[@]}"; do wait "$branch" || failed=1; done
  [ "$failed" -eq 0 ] || { say "not ready; the lines above say why"; exit 2; }
}

finish() {
  {
    printf 'node=%q\nnode_brought=%q\npulumi_seen=%q\ndocker_host=%q\n' "$(own_node)" "$(cat .release/node/version 2>/dev/null || true)" "$(real_pulumi)" "${DOCKER_HOST:-}"
    cat "$state/restic" "$state/pulumi" "$state/images"
  } >"$stamp.new"
  touch -r "$state/started" "$stamp.new" # what changed meanwhile is newer
  mv "$stamp.new" "$stamp"
}

main() {
  read_arguments "$@"
  settle_docker_host
  is_current && exit 0
  # shellcheck source=scripts/lib/setup-report.sh
  source scripts/lib/setup-report.sh
  # shellcheck source=scripts/lib/node.sh
  source scripts/lib/node.sh
  # shellcheck source=scripts/lib/setup-node.sh
  source scripts/lib/setup-node.sh
  # shellcheck source=scripts/lib/setup-docker.sh
  source scripts/lib/setup-docker.sh
  # shellcheck source=scripts/lib/setup-images.sh
  source scripts/lib/setup-images.sh
  if ! { mkdir -p "$state" && : >>"$state/lock"; } 2>/dev/null; then
    echo "setup: not ready, and this user may not make it so ($state cannot be written): run scripts/setup.sh as the user who releases; who only looks must be in the group docker" >&2
    exit 2
  fi
  exec 9>"$state/lock" 3>&2
  if ! flock -n 9; then
    say "another set-up is under way; waiting for it"
    flock 9
  fi
  is_current && exit 0
  set_up
  finish
  say "ready in $SECONDS s"
}

main "$@"
