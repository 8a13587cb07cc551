# Sourced by test.sh: the end-to-end files, in lanes side by side where there are several. Needs $suite, $files, $counts, $scratch,
# run_mocha and say.
# shellcheck shell=bash

# What measures a load: one after another at full weight. In the full suite, which asserts their times as well, nothing runs beside them.
measuring=" story traffic-freeze load "
# At full weight and first, but the machine may be shared: what compares two releases that run at the same time, and what counts failed
# requests but asserts no times.
comparing=" canary streamlit-versions traffic traffic-handlers "
# The longest ones, which also take the machine the most: they begin first where nothing is measured beside them, so that no lane ends
# long after the others, and last in the quick suite, when the load has been measured.
longest="kills drift faults-lock kills-stop kills-random kills-back restore-kills faults-proxy faults-docker qdrant-change faults-app faults-backup backup-faults kills-first"
# What releases without a pause: one alone is nearly as quick as two of them side by side, so in the full suite one lane begins with
# these, and the others with what waits more.
busy=" kills faults-lock kills-stop kills-random kills-back restore-kills kills-first "
# Too long for every day: these run in the full suite, and when they are named.
long=" adopt backup-faults backup-unchanged backups-cli canary canary-synthetic data-faults data-rollback drill faults-docker former hardening kills-back kills-first kills-random kills-stop load metrics notify qdrant-change qdrant-contract qdrant-version quiesce receipt repository restore-faults restore-kills sample-app scratch sparse stack-file streamlit-versions traffic-parts traffic-strangers uncaught warm-held watch workflows "
# Of a size that neither suite has the time for: only when they are named.
named=" data-scale "
beat=30 # seconds between two signs of life

# The story goes first: what it shows is what the rest builds on.
e2e_files() {
  local file
  if [ ${#files[@]} -gt 0 ]; then
    for file in "${files[@]}"; do basename "${file%.ts}" .test; done
    return
  fi
  {
    echo story
    if [ "$suite" = full ]; then printf '%s\n' $longest; fi
    for file in dist/test/e2e/*.test.js; do basename "$file" .test.js; done | grep -vxF "${longest// /$'\n'}"
    printf '%s\n' $longest
  } | awk '!seen[$0]++' | while read -r file; do
    if [ -f "dist/test/e2e/$file.test.js" ] && [[ $named != *" $file "* ]] && { [ "$suite" = full ] || [[ $long != *" $file "* ]]; }; then echo "$file"; fi
  done
}

run_e2e() { # ENGINE
  local name names=() alone=() compared=() busiest=() others=()
  mapfile -t names < <(e2e_files)
  for name in "${names[@]}"; do
    if [ ! -f "dist/test/e2e/$name.test.js" ]; then
      echo "test: there is no test/e2e/$name.test.ts" >&2
      exit 2
    fi
    if [[ $measuring == *" $name "* ]]; then alone+=("$name")
    elif [[ $comparing == *" $name "* ]]; then compared+=("$name")
    elif [[ $suite = full && $busy == *" $name "* ]]; then busiest+=("$name")
    else others+=("$name"); fi
  done
  if [ ${#names[@]} -eq 1 ]; then
    say "end-to-end on the $1 engine: ${names[0]}"
    run_file "$1" "${names[0]}"
  elif [ "$suite" = full ]; then
    run_lanes "$1" 1 "${alone[@]}" -- --
    run_lanes "$1" 3 "${compared[@]}" -- "${busiest[@]}" -- "${others[@]}"
  else
    run_lanes "$1" 2 "${alone[@]}" "${compared[@]}" -- -- "${others[@]}"
  fi
}

run_file() { # ENGINE NAME
  local began=$SECONDS
  PBJRAG_ENGINE=$1 run_mocha "$2 ($1)" "$([ "$suite" = full ] && echo 5400 || echo 900)" "dist/test/e2e/$2.test.js"
  echo "   $2 took $((SECONDS - began)) s"
}

# Each lane takes the next file when it is through with one; the first lane alone takes those that measure, before all others, and the
# second begins with the busy ones. Each file's output is shown when it has ended.
run_lanes() { # ENGINE LANES MEASURING... -- BUSY... -- OTHERS...
  local engine=$1 lanes=$2 pids=() pid name last=$SECONDS list
  shift 2
  mkdir -p "$scratch/running"
  for list in measuring busy others; do
    : >"$scratch/$list"
    while [ $# -gt 0 ] && [ "$1" != -- ]; do echo "$1" >>"$scratch/$list"; shift; done
    if [ $# -gt 0 ]; then shift; fi
  done
  if [ -z "$(cat "$scratch"/{measuring,busy,others})" ]; then return; fi
  say "end-to-end on the $engine engine, $lanes at a time: $(cat "$scratch"/{measuring,busy,others} | tr '\n' ' ')"
  lane "$engine" measuring others busy &
  pids+=($!)
  if [ "$lanes" -gt 1 ]; then
    lane "$engine" busy others &
    pids+=($!)
  fi
  for ((; lanes > 2; lanes--)); do
    lane "$engine" others busy &
    pids+=($!)
  done
  while running "${pids[@]}"; do
    sleep 1
    if [ $((SECONDS - last)) -ge $beat ]; then
      last=$SECONDS
      printf '   ... after %s s, under way:' "$SECONDS"
      for name in "$scratch"/running/*; do [ ! -f "$name" ] || printf ' %s (%s s)' "$(basename "$name")" "$((SECONDS - $(cat "$name")))"; done
      echo
    fi
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

running() { # PID...
  local pid
  for pid in "$@"; do if kill -0 "$pid" 2>/dev/null; then return 0; fi; done
  return 1
}

lane() { # ENGINE LIST...
  local engine=$1 list name all=$counts
  shift
  for list in "$@"; do
    if [ "$list" = measuring ]; then weight=(); else weight=(nice -n 10); fi
    while name=$(take "$scratch/$list") && [ -n "$name" ]; do
      counts=$scratch/$name.counts
      : >"$counts"
      echo "$SECONDS" >"$scratch/running/$name"
      run_file "$engine" "$name" >"$scratch/$name.log" 2>&1
      rm -f "$scratch/running/$name"
      flock "$scratch" bash -c 'printf "\n== test: end-to-end on the %s engine: %s\n" "$1" "$2"; cat "$3/$2.log"; cat "$3/$2.counts" >>"$4"' show "$engine" "$name" "$scratch" "$all"
    done
  done
}

# Prints the first line of a list and removes it; nothing where none is left.
take() { # LIST
  flock "$scratch" bash -c 'head -n 1 "$1"; sed -i 1d "$1"' take "$1"
}
