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
# What goes into the image or makes it, downloaded and unpacked only.
GUEST_PACKAGES=(busybox-static dropbear-bin libtomcrypt1 libtommath1 libgmp10 syslinux syslinux-common mtools)
[ "${1:-}" = --packages ] && { printf '%s\n' "${HOST_PACKAGES[@]}"; exit 0; }

NAME=pileus-guest VERSION=1
BOOT_MIB=24 ROOT_MIB=103   # with 1 MiB before them: 128 MiB
OUT=${1:?usage: build.sh OUTDIR}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { echo "guest image: $*" >&2; }
die() { say "$*"; exit 1; }

mkdir -p "$OUT"; OUT=$(cd "$OUT" && pwd)
exec 9> "$OUT/.$NAME.lock"; flock 9   # two builders: the second waits and finds the image

RECIPE=$(cat "$HERE/build.sh" "$HERE"/guest/* | sha256sum | cut -c1-16)
IMAGE=$OUT/$NAME.qcow2 FACTS=$OUT/$NAME.json
if [ -s "$FACTS" ] && grep -q "\"recipe\": \"$RECIPE\"" "$FACTS" && [ "$(stat -c %s "$IMAGE" 2> /dev/null)" = "$(sed -n 's/.*"size": \([0-9]*\).*/\1/p' "$FACTS")" ]; then
  say "$IMAGE is up to date"; exit 0
fi

[ "$(dpkg --print-architecture 2> /dev/null)" = amd64 ] || die "needs a Debian machine with amd64 processors"
for c in mke2fs debugfs qemu-img cpio dpkg-deb apt-get ldd; do command -v $c > /dev/null || die "$c is missing; install: apt-get install ${HOST_PACKAGES[*]}"; done

rm -rf "$OUT"/.$NAME.build.*          # of builders that were killed: we hold the lock
W=$(mktemp -d "$OUT/.$NAME.build.XXXXXX"); trap 'rm -rf "$W"' EXIT

# --- packages -------------------------------------------------------------------------------------------------
DEBS=$OUT/debs; mkdir -p "$DEBS"
kernel_package() { apt-cache depends linux-image-cloud-amd64 2> /dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1; }
download() { (cd "$DEBS" && apt-get -qq -o APT::Sandbox::User=root download "$@" 2> "$W/apt.err"); }
have() { compgen -G "$DEBS/$1_*.deb" > /dev/null; }
K=$(kernel_package) || true
[ -n "$K" ] || { say 'refreshing the package lists'; apt-get -qq update || true; K=$(kernel_package) || true; }
[ -n "$K" ] || die 'this machine'\''s package sources have no linux-image-cloud-amd64'
MISSING=(); for p in "$K" "${GUEST_PACKAGES[@]}"; do have "$p" || MISSING+=("$p"); done
if [ ${#MISSING[@]} -gt 0 ]; then
  say "downloading ${MISSING[*]}"
  download "${MISSING[@]}" || { apt-get -qq update || true; download "${MISSING[@]}"; } || die "cannot download: $(tail -n 1 "$W/apt.err")"
fi
say 'unpacking'
for p in "$K" "${GUEST_PACKAGES[@]}"; do dpkg-deb -x "$(ls -t "$DEBS/$p"_*.deb | head -n 1)" "$W/packages" || { rm -f "$DEBS/$p"_*.deb; die "the package $p was broken; run this again"; }; done
KERNEL=${K#linux-image-} P=$W/packages R=$W/root I=$W/stage1

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
# Names a module after those it needs, each once, into the list $LIST; copies it into $1/lib/modules.
put_module() {
  local to=$1 name=$2 path dep
  path=$(find "$P/lib/modules" "$P/usr/lib/modules" -name "${name//_/[-_]}.ko*" 2> /dev/null | head -n 1) || true
  [ -n "$path" ] || return 0          # built in
  local base; base=$(basename "$path"); base=${base%.xz}
  grep -qx "$base" "$I/lib/modules/virtio" "$LIST" && return 0   # loading one twice is harmless, a missing one is not
  mkdir -p "$to/lib/modules"
  case $path in *.xz) xz -dc "$path" > "$to/lib/modules/$base" ;; *) cp "$path" "$to/lib/modules/$base" ;; esac
  for dep in $(grep -a -z -o '^depends=.*' "$to/lib/modules/$base" | tr -d '\0' | cut -c9- | tr , ' '); do put_module "$to" "$dep"; done
  echo "$base" >> "$LIST"
}

mkdir -p "$R"/{bin,sbin,dev,proc,sys,run,tmp,mnt,root,lib,lib64,lib/modules,etc/dropbear,etc/guest,etc/acpi/PWRF,home/debian/.ssh,var/lib/cloud,var/log,usr} "$I"/{bin,dev,proc,sys,root,lib/modules}
say "making the guest's files (kernel $KERNEL)"
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

: > "$I/lib/modules/virtio"
list() { LIST=$1/lib/modules/$2; touch "$LIST"; local to=$1 m; shift 2; for m in "$@"; do put_module "$to" "$m"; done; }
list "$I" virtio virtio_pci virtio_blk
list "$I" scsi virtio_scsi sd_mod sr_mod
list "$I" ahci ahci sd_mod sr_mod
list "$I" ide ata_piix sd_mod sr_mod
list "$R" early virtio_rng virtio_net
list "$R" late evdev button virtio_balloon
list "$R" isofs isofs
list "$R" vfat nls_ascii nls_cp437 vfat
list "$R" 8021q 8021q
list "$R" e1000 e1000
cp "$P/bin/busybox" "$I/bin/busybox"; for a in sh mount insmod cat grep sleep printf dd blockdev switch_root echo; do ln -s busybox "$I/bin/$a"; done
cp "$HERE/guest/stage1" "$I/init"
# Files of equal packages make an equal image, whenever it is made.
STAMP='2024-01-01 00:00:00 UTC'; find "$R" "$I" -exec touch -h -d "$STAMP" {} +
# Not compressed: the qcow2 file is, and the host decompresses far faster than an emulated guest.
(cd "$I" && find . | sort | cpio -o -H newc --owner=0:0 --reproducible --quiet) > "$W/initrd"

# --- the disk: 1 MiB with the boot record, a FAT partition that syslinux starts from, the root partition last so that it can grow ----------------------
say 'making the disk'
D=$W/disk.raw; truncate -s $((1 + BOOT_MIB + ROOT_MIB))M "$D"
le32() { printf "\\x$(printf %02x $(($1 & 255)))\\x$(printf %02x $(($1 >> 8 & 255)))\\x$(printf %02x $(($1 >> 16 & 255)))\\x$(printf %02x $(($1 >> 24 & 255)))"; }
entry() { printf "\\x$1\\xfe\\xff\\xff\\x$2\\xfe\\xff\\xff"; le32 "$3"; le32 "$4"; }
{ head -c 440 "$P/usr/lib/syslinux/mbr/mbr.bin"; head -c $((440 - $(head -c 440 "$P/usr/lib/syslinux/mbr/mbr.bin" | wc -c))) /dev/zero; le32 $((0x50494c45)); printf '\0\0'
  entry 80 0e 2048 $((BOOT_MIB * 2048)); entry 00 83 $(((BOOT_MIB + 1) * 2048)) $((ROOT_MIB * 2048)); head -c 32 /dev/zero; printf '\x55\xaa'; } | dd of="$D" conv=notrunc status=none
cat > "$W/syslinux.cfg" <<C
SERIAL 0 115200
DEFAULT linux
PROMPT 0
LABEL linux
 LINUX /vmlinuz
 INITRD /initrd
 APPEND console=tty0 console=ttyS0,115200 quiet loglevel=4 panic=5 mitigations=off nokaslr cryptomgr.notests no_timer_check random.trust_bootloader=on
C
export MTOOLS_SKIP_CHECK=1 PATH=$P/usr/bin:$PATH SOURCE_DATE_EPOCH=$(date -d "$STAMP" +%s)
mformat -i "$D@@1M" -c 8 -T $((BOOT_MIB * 2048)) -h 64 -s 32 -H 2048 -N 50494c45 -v PILEUSBOOT ::
touch -d "$STAMP" "$W/initrd" "$W/syslinux.cfg"; cp "$(ls "$P"/boot/vmlinuz-* | head -n 1)" "$W/vmlinuz"; touch -d "$STAMP" "$W/vmlinuz"
mcopy -m -i "$D@@1M" "$W/vmlinuz" "$W/initrd" "$W/syslinux.cfg" ::/ || die 'the kernel does not fit into the boot partition'
syslinux --install --offset $((1 << 20)) "$D"
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -b 4096 -O ^metadata_csum -J size=4 -m 1 -L pileus-root -U 50494c45-5553-4000-8000-000000000001 \
  -E "offset=$(((BOOT_MIB + 1) << 20)),hash_seed=50494c45-5553-4000-8000-000000000002,root_owner=0:0" -d "$R" "$D" ${ROOT_MIB}M
# Whoever built this, in the guest the files are root's, and the user's are the user's.
dd if="$D" of="$W/root.ext4" bs=1M skip=$((BOOT_MIB + 1)) conv=sparse status=none
(cd "$R" && find . -mindepth 1 -printf '/%P\n') | awk '{ id = $0 ~ "^/home/debian" ? 1000 : 0; print "sif " $0 " uid " id; print "sif " $0 " gid " id }' > "$W/owners"
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH debugfs -w -f "$W/owners" "$W/root.ext4" > /dev/null 2>&1
dd if="$W/root.ext4" of="$D" bs=1M seek=$((BOOT_MIB + 1)) conv=notrunc,sparse status=none
qemu-img convert -c -O qcow2 -o compression_type=zlib "$D" "$W/$NAME.qcow2"

SHA=$(sha512sum "$W/$NAME.qcow2" | cut -d' ' -f1) SIZE=$(stat -c %s "$W/$NAME.qcow2")
cat > "$W/$NAME.json" <<J
{
  "name": "$NAME", "version": "$VERSION", "recipe": "$RECIPE", "file": "$NAME.qcow2", "size": $SIZE, "disk_format": "qcow2", "container_format": "bare",
  "min_disk": 1, "min_ram": 128, "kernel": "$KERNEL", "architecture": "x86_64", "user": "debian",
  "sha512": "$SHA"
}
J
# The description last: it vouches for the image.
mv -f "$W/$NAME.qcow2" "$IMAGE"; mv -f "$W/$NAME.json" "$FACTS"
say "done: $IMAGE, $((SIZE / 1000000)) MB, kernel $KERNEL"
