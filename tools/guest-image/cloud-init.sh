#!/bin/bash
# Builds OUTDIR/cloud-init.qcow2 (and .json): a genuine Debian with systemd, sshd and cloud-init as Debian ships it, its list of data sources untouched, so that a test
# sees whether real cloud images recognise this cloud. Takes some minutes and the internet (or a mirror: $DEBIAN_MIRROR); needs root for debootstrap, whose mounts live in a
# mount namespace of their own and so end with it. A second call finds the image there and does nothing.
#
#   tools/guest-image/cloud-init.sh OUTDIR       build (or do nothing)
#   tools/guest-image/cloud-init.sh --packages   the Debian packages this machine must have, a line each
set -euo pipefail
umask 022
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

HOST_PACKAGES=(e2fsprogs qemu-utils cpio util-linux debootstrap)
[ "${1:-}" = --packages ] && { printf '%s\n' "${HOST_PACKAGES[@]}"; exit 0; }

NAME=cloud-init SUITE=bookworm
BOOT_MIB=32 ROOT_MIB=1400
# python3-cffi-backend: cloud-init needs it by a virtual name that debootstrap does not resolve. isc-dhcp-client and ifupdown: how cloud-init of this release brings up networks.
INCLUDE=systemd-sysv,dbus,udev,kmod,ifupdown,isc-dhcp-client,iproute2,iputils-ping,netbase,openssh-server,sudo,cloud-init,cloud-guest-utils,fdisk,e2fsprogs,python3-cffi-backend,python3-apt,curl
OUT=${1:?usage: cloud-init.sh OUTDIR}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { echo "cloud-init image: $*" >&2; }
die() { say "$*"; exit 1; }

mkdir -p "$OUT"; OUT=$(cd "$OUT" && pwd)
exec 9> "$OUT/.$NAME.lock"; flock 9
W=$OUT/.$NAME.build
# shellcheck source=parts.bash
. "$HERE/parts.bash"
RECIPE=$(cat "$HERE/cloud-init.sh" "$HERE/parts.bash" "$HERE/guest/stage1" | sha256sum | cut -c1-16)
if published $NAME; then say "$OUT/$NAME.qcow2 is up to date"; exit 0; fi

[ "$(id -u)" = 0 ] || die 'needs root (debootstrap)'
for c in mke2fs qemu-img cpio dpkg-deb apt-get debootstrap unshare; do command -v $c > /dev/null || die "$c is missing; install: apt-get install ${HOST_PACKAGES[*]}"; done
rm -rf --one-file-system "$W"; mkdir "$W"; trap 'rm -rf --one-file-system "$W"' EXIT
unpack_packages
R=$W/root

say "debootstrap of $SUITE (some minutes)"
mkdir -p "$OUT/archives"
unshare --mount --propagation private debootstrap --variant=minbase --cache-dir="$OUT/archives" --include=$INCLUDE $SUITE "$R" ${DEBIAN_MIRROR:-} > "$OUT/$NAME.log" 2>&1 ||
  die "debootstrap failed; the end of $OUT/$NAME.log: $(tail -n 3 "$OUT/$NAME.log")"

say 'configuring'
mkdir -p "$R/lib/modules"; cp -a "$P/lib/modules/$KERNEL" "$R/lib/modules/"; chroot "$R" depmod "$KERNEL"
echo 'LABEL=cloud-root / ext4 defaults,noatime 0 1' > "$R/etc/fstab"
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n' > "$R/etc/hosts"; echo debian > "$R/etc/hostname"
printf 'auto lo\niface lo inet loopback\nsource-directory /etc/network/interfaces.d\n' > "$R/etc/network/interfaces"
# Each guest is its own: keys, machine id and random seed are made when it first starts.
rm -f "$R"/etc/ssh/ssh_host_*_key* "$R/var/lib/systemd/random-seed"; : > "$R/etc/machine-id"; rm -f "$R/var/lib/dbus/machine-id"
# Nothing here needs these, and an emulated guest is slow enough.
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer; do ln -sf /dev/null "$R/etc/systemd/system/$unit"; done
rm -rf "$R"/var/cache/apt/archives/*.deb "$R"/var/lib/apt/lists/* "$R"/usr/share/{doc,man,info,locale}/* "$R"/var/log/*.log

say 'making the disk'
make_initrd
mke2fs -q -t ext4 -b 4096 -L cloud-root -E root_owner=0:0 -d "$R" "$W/root.ext4" ${ROOT_MIB}M > /dev/null
make_disk "$W/disk.raw" $BOOT_MIB "$W/root.ext4" 'console=tty0 console=ttyS0,115200 nogrow panic=5 mitigations=off nokaslr cryptomgr.notests'
qemu-img convert -c -O qcow2 -o compression_type=zstd "$W/disk.raw" "$W/$NAME.qcow2"
publish $NAME "\"version\": \"$SUITE\", \"min_disk\": 2, \"min_ram\": 512"
