# The last line of every command says how it ended; here the CLI was not reached.
not_ready() { # EXIT-CODE
  case $1 in
    130) echo "INTERRUPTED (exit 130): the set-up was stopped, nothing else was touched. Next: run the same command again" >&2 ;;
    *) echo "REFUSED, nothing touched (exit $1): this machine is not ready. Next: do what the lines above say (scripts/setup.sh tries again)" >&2 ;;
  esac
  exit "$1"
}

# Prints the help of the command that is named before --help, and ends: that needs nothing to be installed. What `pulumi.sh` passes on
# is Pulumi's own to answer.
help_if_asked() { # COMMAND ARGUMENT...
  local docs=$1 name=$2 arg
  shift 2
  for arg in "$@"; do
    case $arg in
      --help | -h)
        if [ -f "$docs/$name.txt" ]; then cat "$docs/$name.txt"; exit 0; fi
        return 0 ;;
      --) return 0 ;;
      -*) ;;
      *)
        if [ -f "$docs/$name-$arg.txt" ]; then name=$name-$arg; elif [ "$name" = pulumi ]; then return 0; fi ;;
    esac
  done
}

# Shared by the wrappers: passes --offline and --online to the set-up, everything else to the CLI.
# The caller's directory does not matter; the CLI runs in the project's.
run_cli() {
  local project command=$1 arg setup_pid=''
  local -a setup=() rest=()
  shift
  project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  help_if_asked "$project/docs/commands" "$command" "$@"
  for arg in "$@"; do
    case $arg in
      --offline | --online) setup+=("$arg") ;;
      *) rest+=("$arg") ;;
    esac
  done
  # Waited for in the background: a shell answers no signal while it waits for a command in the foreground.
  trap '[ -z "$setup_pid" ] || { kill "$setup_pid"; wait "$setup_pid"; } 2>/dev/null || true; not_ready 130' INT TERM
  "$project/scripts/setup.sh" ${setup[@]+"${setup[@]}"} &
  setup_pid=$!
  wait "$setup_pid" || not_ready $?
  trap - INT TERM
  cd "$project"
  # shellcheck source=scripts/lib/node.sh
  source scripts/lib/node.sh
  use_node
  exec node dist/cli.cjs "$command" ${rest[@]+"${rest[@]}"}
}
