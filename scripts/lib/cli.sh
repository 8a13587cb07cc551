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
  "$project/scripts/setup.sh" ${setup[@]+"${setup[@]}"} || exit $?
  cd "$project"
  exec node dist/scripts/cli/main.js "$command" ${rest[@]+"${rest[@]}"}
}
