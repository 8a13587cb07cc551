# Sourced by setup.sh: a Docker that answers.
# shellcheck shell=bash

docker_log=/var/log/dockerd.log

# Only a local socket for now: images and volumes are prepared there. One that is not the system's (Docker without root, for
# one) is used as it is: who started it starts it again.
check_docker_settings() {
  case ${DOCKER_HOST:-} in
    '' | unix:///var/run/docker.sock | unix:///run/docker.sock) ;;
    unix:///*)
      docker_answers || refuse "[3/6] Docker: nothing answers on $DOCKER_HOST (DOCKER_HOST)" "start the daemon that listens there, or unset DOCKER_HOST for the system's"
      refuse_podman
      ;;
    *) refuse "[3/6] Docker: DOCKER_HOST is $DOCKER_HOST, and only a local socket (unix://) is supported for now" "unset DOCKER_HOST, or where Docker's context names it: export DOCKER_CONTEXT=default" ;;
  esac
}

docker_answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Podman answers on a socket of Docker's form as well. What it lacks is told by components/runtime/engine.ts and docs/engines.md.
refuse_podman() {
  local podman
  podman=$(timeout 10 docker version --format '{{range .Server.Components}}{{if eq .Name "Podman Engine"}}{{.Version}}{{end}}{{end}}' 2>/dev/null) || return 0
  [ -z "$podman" ] || refuse "[3/6] Docker: Podman $podman answers on ${DOCKER_HOST:-the local socket}, and only Docker is supported: it sends no oom event, and its builds drop HEALTHCHECK" \
    "install Docker Engine 20.10 or newer and let DOCKER_HOST name its socket (docs/engines.md tells what was tried)"
}

set_up_docker_and_images() {
  install_restic
  if ! docker_answers; then
    if ! command -v docker >/dev/null || { [ "$EUID" -eq 0 ] && ! command -v dockerd >/dev/null; }; then
      is_debian_root || refuse "[3/6] Docker: not found" "install Docker Engine, start it, and run this again (on Debian, root may leave that to this script)"
      step "[3/6] Docker" "installing docker.io (about 15 s)" docker-install apt_install docker.io iptables mmdebstrap || exit 2
      install_igzip
      hash -r
    fi
    [ "$EUID" -eq 0 ] || refuse_without_root
    if dockerd_runs; then
      say "[3/6] Docker: the daemon runs and does not answer; waiting for it (30 s at most)"
      wait_for_docker || refuse "[3/6] Docker: the daemon (pid $(cat /var/run/docker.pid)) runs and does not answer" "see its log, restart it, and run this again"
      set_up_images
      return
    fi
    step "[3/6] Docker" "starting the daemon (about 2 s)" docker-start start_docker || exit 2
  fi
  refuse_podman
  set_up_images
}

# What sends backups off this machine. A release goes on without it, and says so.
install_restic() {
  : >"$state/restic"
  if ! lacks_restic; then return; fi
  if is_debian_root && watched "[3/6] restic" restic apt_install restic; then return; fi
  say "[3/6] restic: not to be had; backups stay on this machine until it is installed (apt-get install restic)"
  # Else every command would ask for it again.
  echo "restic=none" >"$state/restic"
}

# Backups are several times as fast with it, and work without.
install_igzip() {
  if command -v igzip >/dev/null; then return; fi
  watched "[3/6] Docker" isal apt_install isal || say "[3/6] Docker: isal is not to be had; backups are compressed by Node, which is slower"
}

refuse_without_root() {
  if [ -S /var/run/docker.sock ] && [ ! -w /var/run/docker.sock ]; then
    refuse "[3/6] Docker: $(id -un) may not use its socket" "sudo usermod -aG docker $(id -un), log in again, and run this again"
  fi
  refuse "[3/6] Docker: the daemon does not answer" "sudo systemctl start docker, and run this again"
}

# By systemd where it runs; else by hand, in a session of its own. Should the kernel lack what nft's iptables needs, the older
# variant is tried.
start_docker() {
  if [ -d /run/systemd/system ]; then
    systemctl start docker
    wait_for_docker
    return
  fi
  run_dockerd
  wait_for_docker && return
  if tail -n 20 "$docker_log" | grep -q iptables && command -v iptables-legacy >/dev/null; then
    echo "iptables-nft does not work here; trying iptables-legacy"
    update-alternatives --set iptables "$(command -v iptables-legacy)"
    run_dockerd
    wait_for_docker && return
  fi
  tail -n 8 "$docker_log"
  return 1
}

# The number that a dead daemon left may be another program's by now.
dockerd_runs() { [ -s /var/run/docker.pid ] && [ "$(cat "/proc/$(cat /var/run/docker.pid)/comm" 2>/dev/null)" = dockerd ]; }

run_dockerd() {
  if dockerd_runs; then return; fi
  setsid dockerd >>"$docker_log" 2>&1 </dev/null 3>&- 9>&- &
}

# Up to 30 s, as long as the daemon lives.
wait_for_docker() {
  local deadline=$((SECONDS + 30)) grace=$((SECONDS + 3))
  until docker_answers; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    [ "$SECONDS" -lt "$grace" ] || dockerd_runs || [ -d /run/systemd/system ] || return 1
    sleep 0.2
  done
}
