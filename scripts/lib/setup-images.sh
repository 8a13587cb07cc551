# Sourced by setup.sh: the images, from their registry or as stand-ins.
# shellcheck shell=bash

registry_patience=15 # seconds until a registry must have answered
pull_limit=900       # seconds for a whole image

# Leaves in $state/images which are real and which are stand-ins.
set_up_images() {
  local name pid real=() standin=() wanted=() pulls=()
  for name in "${images[@]}"; do
    case $mode/$(image_state "$name") in
      auto/real | online/real) real+=("$name") ;;
      offline/real) if offline/images/build.sh --knows "$name"; then standin+=("$name"); else real+=("$name"); fi ;;
      auto/standin | offline/*) standin+=("$name") ;;
      auto/absent) if is_remembered "$name"; then standin+=("$name"); else wanted+=("$name"); fi ;;
      *) wanted+=("$name") ;;
    esac
  done
  if [ ${#wanted[@]} -gt 0 ]; then say "[4/6] images: asking the registry for ${wanted[*]} (an answer within $registry_patience s)"; fi
  for name in "${wanted[@]}"; do
    pull "$name" &
    pulls+=($!)
  done
  for name in "${wanted[@]}"; do
    pid=${pulls[0]}
    pulls=("${pulls[@]:1}")
    if wait "$pid"; then
      real+=("$name")
    elif [ "$mode" = online ]; then
      refuse "[4/6] images: $name is not to be had: $(tail -n 1 "$(pull_log "$name")")" "check the name and the way to its registry, or run without --online"
    elif offline/images/build.sh --knows "$name"; then
      say "[4/6] images: $name is out of reach; its stand-in is used"
      standin+=("$name")
    else
      refuse "[4/6] images: $name is out of reach, and there is no stand-in for it" "check the name and the way to its registry"
    fi
  done
  [ ${#standin[@]} -eq 0 ] || build_stand_ins "${standin[@]}"
  printf 'real=%q\nstandin=%q\n' "${real[*]}" "${standin[*]}" >"$state/images"
}

image_state() { # NAME -> real, standin or absent
  local label
  label=$(docker image inspect -f '{{index .Config.Labels "pbjrag.standin"}}' "$1" 2>/dev/null) || { echo absent; return; }
  if [ "$label" = true ]; then echo standin; else echo real; fi
}

is_remembered() { # NAME
  local real='' standin=''
  [ -f "$state/images" ] || return 1
  # shellcheck source=/dev/null # name='value' lines written above
  source "$state/images"
  [[ " $standin " == *" $1 "* ]]
}

pull_log() { echo "$state/pull-${1//[^A-Za-z0-9.-]/-}.log"; }

# A registry that does not answer soon is out of reach; one that does may take its time.
pull() { # NAME
  local log pid started=$SECONDS beat=10 passed
  log=$(pull_log "$1")
  docker pull "$1" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    passed=$((SECONDS - started))
    if [ "$passed" -ge "$pull_limit" ] || { [ "$passed" -ge "$registry_patience" ] && ! grep -q 'Pulling from' "$log"; }; then
      kill "$pid"
    elif [ "$passed" -ge "$beat" ]; then
      say "[4/6] images: still pulling $1 after $beat s"
      beat=$((beat + 10))
    fi
  done
  wait "$pid"
}

build_stand_ins() { # NAME...
  if ! command -v mmdebstrap >/dev/null; then
    is_debian_root || refuse "[4/6] images: stand-ins are made with mmdebstrap, which is not here" "install it (sudo apt-get install mmdebstrap), or let this machine reach the images' registry"
    step "[4/6] images" "installing mmdebstrap (about 5 s)" mmdebstrap apt_install mmdebstrap || exit 2
  fi
  step "[4/6] images" "stand-ins for $* (about a minute, a moment where they are current)" images build_shown "$@" || exit 2
}

# The builder's own lines are progress; what its tools say is for the log.
build_shown() { # NAME...
  : >"$state/images-build.log"
  PBJRAG_BUILD_LOG=$state/images-build.log offline/images/build.sh "$@" | sed -u 's/^/setup: [4\/6] images: /' >&3 ||
    { tail -n 20 "$state/images-build.log"; return 1; }
}
