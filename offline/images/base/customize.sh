#!/bin/sh
# Runs in mmdebstrap's new root ($1): makes Python look as in the official python image, and lets what runs in containers
# reach the registries the way that this machine does (its certificate authorities, its pip settings).
set -eu
root=$1

# A virtual environment at /usr/local: `python` and `pip` on PATH, packages in /usr/local/lib/python3.11/site-packages, and
# nothing "externally managed" in the way.
chroot "$root" python3 -m venv /usr/local

if [ -d /usr/local/share/ca-certificates ]; then
  cp -rL /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
  chroot "$root" update-ca-certificates
fi
if [ -s /etc/ssl/certs/ca-certificates.crt ]; then
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
fi

if [ -s /etc/pip.conf ]; then cp -L /etc/pip.conf "$root/etc/pip.conf"; fi
if [ -n "${PIP_INDEX_URL:-}" ]; then chroot "$root" pip config --global set global.index-url "$PIP_INDEX_URL"; fi

# As in the official images: no package cache in a layer, no questions asked.
cat >"$root/etc/apt/apt.conf.d/docker-clean" <<'EOF'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
EOF
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/*.log "$root"/var/log/apt "$root/etc/resolv.conf"
