# Sourced by setup.sh: what it prints, and commands with progress. Needs $state, and the terminal as file descriptor 3.
# shellcheck shell=bash

say() { printf 'setup: %s\n' "$*" >&3; }

# Says why this machine cannot be made ready, and what to do; ends the branch.
refuse() { # WHAT NEXT
  say "$1"
  say "  -> $2"
  exit 2
}

# Runs a command with its output in a log and a sign of life every 10 s.
watched() { # TITLE LOG COMMAND...
  local title=$1 log=$state/$2.log pid started=$SECONDS beat=10
  shift 2
  "$@" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if [ $((SECONDS - started)) -ge "$beat" ]; then
      say "$title: still at it after $beat s"
      beat=$((beat + 10))
    fi
  done
  wait "$pid"
}

# A command that must succeed: announced, watched, and the log's end if it fails.
step() { # TITLE WHAT LOG COMMAND...
  local title=$1 log=$3 started=$SECONDS code=0
  say "$title: $2 ..."
  watched "$title" "${@:3}" || code=$?
  if [ "$code" -eq 0 ]; then
    say "$title: done in $((SECONDS - started)) s"
    return
  fi
  say "$title: failed with exit code $code; $state/$log.log ends:"
  tail -n 15 "$state/$log.log" | sed 's/^/setup:   | /' >&3
  return 2
}

# Ends processes that this run started, with what they started, but not a Docker daemon: it has a session of its own.
stop_tree() { # PID...
  local pid
  for pid in "$@"; do
    # shellcheck disable=SC2046 # one word per id
    [ ! -r "/proc/$pid/task/$pid/children" ] || stop_tree $(cat "/proc/$pid/task/$pid/children")
    kill "$pid" 2>/dev/null || true
  done
}

is_debian_root() { [ "$EUID" -eq 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null; }

# From wherever this machine's apt is set to; its lists are only renewed when they do not suffice. A daemon that a package
# starts must not keep the set-up's lock or the caller's standard error.
apt_install() { # PACKAGE...
  local install=(apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$@")
  export DEBIAN_FRONTEND=noninteractive
  { "${install[@]}" || { apt-get update -qq -o DPkg::Lock::Timeout=120 && "${install[@]}"; }; } 3>&- 9>&-
}
