# The last line of every command says how it ended; here the CLI was not reached.
not_ready() { # EXIT-CODE
  case $1 in
    130) echo "INTERRUPTED (exit 130): the set-up was stopped, nothing else was touched. Next: run the same command again" >&2 ;;
    *) echo "REFUSED, nothing touched (exit $1): this machine is not ready. Next: do what the lines above say (scripts/setup.sh tries again)" >&2 ;;
  esac
  exit "$1"
}

# Shared by the wrappers: passes --offline and --online to the set-up, everything else to the CLI.
# The caller's directory does not matter; the CLI runs in the project's.
run_cli() {
  local project command=$1 arg
  local -a setup=() rest=()
  shift
  project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  for arg in "$@"; do
    case $arg in
      --offline | --online) setup+=("$arg") ;;
      *) rest+=("$arg") ;;
    esac
  done
  "$project/scripts/setup.sh" ${setup[@]+"${setup[@]}"} || not_ready $?
  cd "$project"
  exec node dist/scripts/cli/main.js "$command" ${rest[@]+"${rest[@]}"}
}
