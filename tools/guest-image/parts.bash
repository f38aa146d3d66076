# What both image builders are made of: Debian packages unpacked and not installed, an initial ram disk of ours, a disk that boots. Sourced; needs $OUT, $W (scratch), $HERE, say and die.

# Downloaded and unpacked by every builder: busybox for the ram disk, what makes a disk bootable without mounting it.
BOOT_PACKAGES=(busybox-static syslinux syslinux-common mtools)
P=$W/packages

kernel_package() { apt-cache depends linux-image-cloud-amd64 2> /dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1; }
download() { (cd "$DEBS" && apt-get -qq -o APT::Sandbox::User=root download "$@" 2> "$W/apt.err"); }

# Unpacks the cloud kernel, BOOT_PACKAGES and the packages named into $P; sets KERNEL.
unpack_packages() {
  local p k missing=()
  DEBS=$OUT/debs; mkdir -p "$DEBS" "$P"
  k=$(kernel_package) || true
  [ -n "$k" ] || { say 'refreshing the package lists'; apt-get -qq update || true; k=$(kernel_package) || true; }
  [ -n "$k" ] || die "this machine's package sources have no linux-image-cloud-amd64"
  set -- "$k" "${BOOT_PACKAGES[@]}" "$@"
  for p in "$@"; do compgen -G "$DEBS/${p}_*.deb" > /dev/null || missing+=("$p"); done
  if [ ${#missing[@]} -gt 0 ]; then
    say "downloading ${missing[*]}"
    download "${missing[@]}" || { apt-get -qq update || true; download "${missing[@]}"; } || die "cannot download: $(tail -n 1 "$W/apt.err")"
  fi
  say 'unpacking'
  for p in "$@"; do dpkg-deb -x "$(ls -t "$DEBS/$p"_*.deb | head -n 1)" "$P" || { rm -f "$DEBS/$p"_*.deb; die "the package $p was broken; run this again"; }; done
  KERNEL=${k#linux-image-}
}

# list DIR NAME MODULE…: copies the modules and all they need into DIR/lib/modules, and writes them into DIR/lib/modules/NAME in the order to load them.
list() { local to=$1 file=$1/lib/modules/$2 m; shift 2; mkdir -p "$to/lib/modules"; touch "$file"; for m in "$@"; do put_module "$to" "$file" "$m"; done; }
put_module() {
  local to=$1 file=$2 name=$3 path dep base
  path=$(find "$P/lib/modules" "$P/usr/lib/modules" -name "${name//_/[-_]}.ko*" 2> /dev/null | head -n 1) || true
  [ -n "$path" ] || return 0          # built in
  base=$(basename "$path"); base=${base%.xz}
  grep -qsx "$base" "$STAGE1/lib/modules/virtio" "$file" && return 0   # loading one twice is harmless, a missing one is not
  case $path in *.xz) xz -dc "$path" > "$to/lib/modules/$base" ;; *) cp "$path" "$to/lib/modules/$base" ;; esac
  for dep in $(grep -a -z -o '^depends=.*' "$to/lib/modules/$base" | tr -d '\0' | cut -c9- | tr , ' '); do put_module "$to" "$file" "$dep"; done
  echo "$base" >> "$file"
}

# Makes $W/initrd: finds the root disk and goes there (guest/stage1). Not compressed: the qcow2 file is, and the host decompresses far faster than an emulated guest.
STAGE1=$W/stage1
make_initrd() {
  local a
  mkdir -p "$STAGE1"/{bin,dev,proc,sys,root}
  list "$STAGE1" virtio virtio_pci virtio_blk
  list "$STAGE1" scsi virtio_scsi sd_mod sr_mod
  list "$STAGE1" ahci ahci sd_mod sr_mod
  list "$STAGE1" ide ata_piix sd_mod sr_mod
  cp "$P/bin/busybox" "$STAGE1/bin/busybox"; for a in sh mount insmod cat grep sleep printf dd blockdev switch_root echo; do ln -s busybox "$STAGE1/bin/$a"; done
  cp "$HERE/guest/stage1" "$STAGE1/init"
  find "$STAGE1" -exec touch -h -d "$STAMP" {} +
  (cd "$STAGE1" && find . | sort | cpio -o -H newc --owner=0:0 --reproducible --quiet) > "$W/initrd"
}

# One time for all files, so that two builds of the same packages differ as little as possible.
STAMP='2024-01-01 00:00:00 UTC'
SOURCE_DATE_EPOCH=$(date -d "$STAMP" +%s); export SOURCE_DATE_EPOCH

le32() { printf "\\x$(printf %02x $(($1 & 255)))\\x$(printf %02x $(($1 >> 8 & 255)))\\x$(printf %02x $(($1 >> 16 & 255)))\\x$(printf %02x $(($1 >> 24 & 255)))"; }
partition() { printf "\\x$1\\xfe\\xff\\xff\\x$2\\xfe\\xff\\xff"; le32 "$3"; le32 "$4"; }

# make_disk DISK BOOT_MIB ROOT_EXT4 KERNEL_ARGUMENTS: 1 MiB with the boot record, a FAT partition that syslinux starts from, the root partition last so that it can grow.
make_disk() {
  local disk=$1 boot=$2 root=$3 root_mib mbr=$P/usr/lib/syslinux/mbr/mbr.bin
  root_mib=$(($(stat -c %s "$root") >> 20))
  truncate -s $((1 + boot + root_mib))M "$disk"
  { head -c 440 "$mbr"; head -c $((440 - $(head -c 440 "$mbr" | wc -c))) /dev/zero; le32 $((0x50494c45)); printf '\0\0'
    partition 80 0e 2048 $((boot * 2048)); partition 00 83 $(((boot + 1) * 2048)) $((root_mib * 2048)); head -c 32 /dev/zero; printf '\x55\xaa'; } | dd of="$disk" conv=notrunc status=none
  printf 'SERIAL 0 115200\nDEFAULT linux\nPROMPT 0\nLABEL linux\n LINUX /vmlinuz\n INITRD /initrd\n APPEND %s\n' "$4" > "$W/syslinux.cfg"
  cp "$(ls "$P"/boot/vmlinuz-* | head -n 1)" "$W/vmlinuz"; touch -d "$STAMP" "$W/initrd" "$W/syslinux.cfg" "$W/vmlinuz"
  (
    export MTOOLS_SKIP_CHECK=1 PATH=$P/usr/bin:$PATH
    mformat -i "$disk@@1M" -c 8 -T $((boot * 2048)) -h 64 -s 32 -H 2048 -N 50494c45 -v PILEUSBOOT ::
    mcopy -m -i "$disk@@1M" "$W/vmlinuz" "$W/initrd" "$W/syslinux.cfg" ::/ || die 'the kernel does not fit into the boot partition'
    syslinux --install --offset $((1 << 20)) "$disk"
  )
  dd if="$root" of="$disk" bs=1M seek=$((boot + 1)) conv=notrunc,sparse status=none
}

# publish NAME "JSON MEMBERS": moves $W/NAME.qcow2 into place, and its description last: that vouches for the image.
publish() {
  local name=$1 size sha
  size=$(stat -c %s "$W/$name.qcow2"); sha=$(sha512sum "$W/$name.qcow2" | cut -d' ' -f1)
  printf '{\n  "name": "%s", "recipe": "%s", "file": "%s.qcow2", "size": %s, "disk_format": "qcow2", "container_format": "bare",\n  %s,\n  "kernel": "%s", "architecture": "x86_64", "user": "debian",\n  "sha512": "%s"\n}\n' \
    "$name" "$RECIPE" "$name" "$size" "$2" "$KERNEL" "$sha" > "$W/$name.json"
  mv -f "$W/$name.qcow2" "$OUT/$name.qcow2"; mv -f "$W/$name.json" "$OUT/$name.json"
  say "done: $OUT/$name.qcow2, $((size / 1000000)) MB, kernel $KERNEL"
}

# True if NAME was published by this very recipe and is whole.
published() {
  local facts=$OUT/$1.json
  [ -s "$facts" ] && grep -q "\"recipe\": \"$RECIPE\"" "$facts" && [ "$(stat -c %s "$OUT/$1.qcow2" 2> /dev/null)" = "$(sed -n 's/.*"size": \([0-9]*\).*/\1/p' "$facts")" ]
}
