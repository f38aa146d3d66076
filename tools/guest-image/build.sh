#!/bin/bash
# Builds the small bootable cloud image OUTDIR/pileus-guest.qcow2 and its description OUTDIR/pileus-guest.json from Debian's own packages:
# the cloud kernel, busybox and dropbear for the guest; syslinux and mtools to make it bootable. These are downloaded and unpacked, never installed.
# No loop devices, no mounts: nothing can be left behind if this is killed. A second call finds the image there and does nothing.
#
#   tools/guest-image/build.sh OUTDIR            build (or do nothing)
#   tools/guest-image/build.sh --packages        the Debian packages this machine must have, a line each
set -euo pipefail
umask 022
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

# What must be installed here (all small; most are on every Debian).
HOST_PACKAGES=(e2fsprogs qemu-utils cpio util-linux)
[ "${1:-}" = --packages ] && { printf '%s\n' "${HOST_PACKAGES[@]}"; exit 0; }

NAME=pileus-guest VERSION=1
BOOT_MIB=24 ROOT_MIB=103   # with 1 MiB before them: 128 MiB
OUT=${1:?usage: build.sh OUTDIR}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { echo "guest image: $*" >&2; }
die() { say "$*"; exit 1; }

mkdir -p "$OUT"; OUT=$(cd "$OUT" && pwd)
exec 9> "$OUT/.$NAME.lock"; flock 9   # two builders: the second waits and finds the image
W=$OUT/.$NAME.build
# shellcheck source=parts.bash
. "$HERE/parts.bash"
RECIPE=$(cat "$HERE/build.sh" "$HERE/parts.bash" "$HERE"/guest/* | sha256sum | cut -c1-16)
if published $NAME; then say "$OUT/$NAME.qcow2 is up to date"; exit 0; fi

[ "$(dpkg --print-architecture 2> /dev/null)" = amd64 ] || die 'needs a Debian machine with amd64 processors'
for c in mke2fs debugfs qemu-img cpio dpkg-deb apt-get ldd setpriv; do command -v $c > /dev/null || die "$c is missing; install: apt-get install ${HOST_PACKAGES[*]}"; done

rm -rf "$W"          # of a builder that was killed: we hold the lock
mkdir "$W"; trap 'rm -rf "$W"' EXIT
unpack_packages dropbear-bin libtomcrypt1 libtommath1 libgmp10
R=$W/root

# --- what the guest is made of ----------------------------------------------------------------------------------
# Copies a program and the libraries it needs, the unpacked packages' before this machine's own.
put_program() {
  local file=$1 lib
  install -D -m 755 "$file" "$R/bin/$(basename "$file")"
  (LD_LIBRARY_PATH=$P/usr/lib/x86_64-linux-gnu ldd "$file" 2> /dev/null || true) | { grep -o '/[^ ]*' || true; } | while read -r lib; do
    [ -e "$R/lib64/$(basename "$lib")" ] || [ -e "$R/lib/$(basename "$lib")" ] && continue
    case $lib in */ld-linux-x86-64.so.2) cp -L "$lib" "$R/lib64/" ;; *) cp -L "$lib" "$R/lib/" ;; esac
  done
}

say "making the guest's files (kernel $KERNEL)"
mkdir -p "$R"/{bin,sbin,dev,proc,sys,run,tmp,mnt,root,lib,lib64,lib/modules,etc/dropbear,etc/guest,etc/acpi/PWRF,home/debian/.ssh,var/lib/cloud,var/log,usr}
put_program "$P/bin/busybox"; put_program "$P/usr/sbin/dropbear"; put_program "$P/usr/bin/dropbearkey"; put_program "$(command -v resize2fs)"
for a in $("$P/bin/busybox" --list); do [ -e "$R/bin/$a" ] || ln -s busybox "$R/bin/$a"; done
ln -s ../bin "$R/usr/bin"; ln -s ../sbin "$R/usr/sbin"; ln -s ../bin/busybox "$R/sbin/init"; ln -s /run "$R/var/run"; ln -s /run/resolv.conf "$R/etc/resolv.conf"
cp "$HERE"/guest/* "$R/etc/guest/"; rm "$R/etc/guest/"{stage1,inittab}; cp "$HERE/guest/inittab" "$R/etc/inittab"
ln -s ../etc/guest/modprobe "$R/sbin/modprobe"; ln -s ../etc/guest/sudo "$R/bin/sudo"; rm -f "$R/bin/modprobe"
put_program "$(command -v setpriv)"; mv "$R/bin/setpriv" "$R/bin/setpriv-suid"; chmod 4755 "$R/bin/setpriv-suid"; ln -s busybox "$R/bin/setpriv"
for s in poweroff reboot halt; do ln -s ../etc/guest/stop "$R/sbin/$s"; rm -f "$R/bin/$s"; done
ln -s /etc/guest/stop "$R/etc/acpi/PWRF/00000080"   # where busybox acpid looks for the power button
printf 'root:x:0:0:root:/root:/bin/sh\ndebian:x:1000:1000:debian:/home/debian:/bin/sh\n' > "$R/etc/passwd"
printf 'root:x:0:\ndebian:x:1000:\n' > "$R/etc/group"
printf 'root:*:19000:0:99999:7:::\ndebian:*:19000:0:99999:7:::\n' > "$R/etc/shadow"; chmod 600 "$R/etc/shadow"
printf 'export PATH=/sbin:/bin PS1="\\u@\\h:\\w\\$ "\n' > "$R/etc/profile"
echo /bin/sh > "$R/etc/shells"; echo pileus-guest > "$R/etc/hostname"; echo 'hosts: files dns' > "$R/etc/nsswitch.conf"
printf '\\s \\r \\n \\l\n' > "$R/etc/issue"; printf 'NAME="%s"\nID=pileus-guest\nVERSION_ID=%s\nPRETTY_NAME="Pileus guest %s (%s)"\n' $NAME $VERSION $VERSION "$KERNEL" > "$R/etc/os-release"
chmod 4755 "$R/bin/busybox"   # for ping; it drops the privilege for everything that needs none
chmod 700 "$R/root" "$R/home/debian" "$R/home/debian/.ssh"; chmod 1777 "$R/tmp"

make_initrd
list "$R" early virtio_rng virtio_net
list "$R" late evdev button virtio_balloon
list "$R" isofs isofs
list "$R" vfat nls_ascii nls_cp437 vfat
list "$R" 8021q 8021q
list "$R" e1000 e1000

# --- the disk -----------------------------------------------------------------------------------------------------
say 'making the disk'
find "$R" -exec touch -h -d "$STAMP" {} +
export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
mke2fs -q -t ext4 -b 4096 -O ^metadata_csum -J size=4 -m 1 -L pileus-root -U 50494c45-5553-4000-8000-000000000001 \
  -E hash_seed=50494c45-5553-4000-8000-000000000002,root_owner=0:0 -d "$R" "$W/root.ext4" ${ROOT_MIB}M > /dev/null
# Whoever built this, in the guest the files are root's, and the user's are the user's.
(cd "$R" && find . -mindepth 1 -printf '/%P\n') | awk '{ id = $0 ~ "^/home/debian" ? 1000 : 0; print "sif " $0 " uid " id; print "sif " $0 " gid " id }' > "$W/owners"
debugfs -w -f "$W/owners" "$W/root.ext4" > /dev/null 2>&1
make_disk "$W/disk.raw" $BOOT_MIB "$W/root.ext4" \
  'console=tty0 console=ttyS0,115200 quiet loglevel=4 panic=5 mitigations=off nokaslr cryptomgr.notests no_timer_check random.trust_bootloader=on'
qemu-img convert -c -O qcow2 -o compression_type=zlib "$W/disk.raw" "$W/$NAME.qcow2"
publish $NAME "\"version\": \"$VERSION\", \"min_disk\": 1, \"min_ram\": 128"
