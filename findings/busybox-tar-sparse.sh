#!/usr/bin/env bash
# Vector stores preallocate files of mostly holes (Qdrant's write-ahead log: 32 MiB each), so `tar --sparse` looks right for their backup, and
# people restore by hand with the tar of a small image (`alpine tar xzf`), which is busybox'.
# Guess: busybox either understands GNU tar's sparse entries or refuses them.
# Seen on Debian 12, with its busybox 1.35.0 and GNU tar 1.34: of the pax form (--format=posix) it unpacks a file GNUSparseFile.PID/NAME whose content is the
# map of holes followed by the data, none under the file's own name, and ends with 0. It refuses the older GNU form (--format=gnu) with exit code 1.
# A backup that is to be restored by any tar must not be sparse; holes are made again afterwards (fallocate --dig-holes).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download --quiet busybox=1:1.35.0-4+deb12u1+b1 >/dev/null
dpkg-deb --extract busybox_*.deb unpacked
busybox=$(find "$dir/unpacked" -name busybox -path '*bin*' -type f | head -n 1)
mkdir from
truncate --size 8M from/wal
printf 'acknowledged' | dd of=from/wal bs=1 seek=4194304 conv=notrunc status=none
sum=$(sha256sum <from/wal)

seen=''
for format in posix gnu; do
  tar --sparse --format="$format" --directory from --create --file "$format.tar" wal
  mkdir "$format"
  status=0
  "$busybox" tar xf "$format.tar" -C "$format" >/dev/null 2>&1 || status=$?
  same=no
  if [ -f "$format/wal" ] && [ "$(sha256sum <"$format/wal")" = "$sum" ]; then same=yes; fi
  made=$(cd "$format" && find . -type f | sed 's/GNUSparseFile\.[0-9]*/GNUSparseFile.PID/' | sort | tr '\n' ' ')
  line="$format: exit $status, the same file: $same, made: ${made:-nothing }"
  echo "$("$busybox" | head -n 1 | cut -d' ' -f1,2), $(tar --version | head -n 1): $line"
  seen+="$line"$'\n'
done
expected='posix: exit 0, the same file: no, made: ./GNUSparseFile.PID/wal 
gnu: exit 1, the same file: no, made: nothing 
'
[ "$seen" = "$expected" ] || { echo "changed" >&2; exit 1; }
echo "as before"
