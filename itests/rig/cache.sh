# cache.sh: what the rig keeps, under ${XDG_CACHE_HOME:-~/.cache}/backplane/rig. Sourced by rig.
#   debs/SUITE.deb                       the suite's kernel package
#   images/KEY                           made of the packages and of this checkout's scripts, as KEY tells:
#     SUITE/version vmlinuz vmlinux        the kernel, and the ELF file that its bzImage holds
#     l1-SUITE.cpio l2-SUITE.cpio               the initial file systems
#     digests                              SHA-256 of all of these
# Everything is made once. Images of other checkouts stay, the latest three.

suites=(bookworm trixie)
l1_suite=bookworm # the kernel of L1: all of these have kvm-amd, vfio-pci and 9p, and none has IOMMUFD
l1_modules="virtio_pci 9p 9pnet_virtio overlay kvm-amd vfio-pci vfio_iommu_type1 tun virtio_net e1000 bridge"
l2_modules="virtio_pci virtio_mmio virtio_blk virtio_net virtio_rng button evdev ext4 nvme e1000e igb 8139cp xhci_pci usb_storage sd_mod"

# fetch_kernel SUITE: from the host's mirror; apt checks signature and digest.
fetch_kernel() {
  local suite=$1 folder package
  folder=$(mktemp -d "$cache/apt.XXXXXX")
  apt_for "$folder" "$suite"
  log "fetching the kernel of $suite"
  package=$(apt_in "$folder" apt-cache show --no-all-versions linux-image-amd64 |
    sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*\).*/\1/p')
  [ -n "$package" ] || die "linux-image-amd64 of $suite names no kernel"
  (cd "$folder" && apt_in "$folder" apt-get -qq download "$package") || die "$package could not be fetched"
  mkdir -p "$cache/debs"
  mv "$folder"/*.deb "$cache/debs/$suite.deb"
  rm -rf "$folder"
}

number() { od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; }

# extract_vmlinux BZIMAGE TARGET: the ELF file in a bzImage (boot protocol 2.08: payload_offset at
# 0x248, payload_length at 0x24c, counted from the end of the setup sectors at 0x1f1).
extract_vmlinux() {
  local start size unpack
  start=$((($(number "$1" 497 1) + 1) * 512 + $(number "$1" 584 4)))
  # The last four bytes are the unpacked size, which no tool wants to see.
  size=$(($(number "$1" 588 4) - 4))
  case $(od -An -t x1 -j "$start" -N 4 "$1" | tr -d ' ') in
    fd377a58) unpack=xz ;;
    28b52ffd) unpack=zstd ;;
    1f8b*) unpack=gzip ;;
    *) die "the kernel in $1 is packed in a way that is not known here" ;;
  esac
  tail -c +$((start + 1)) "$1" | head -c "$size" | $unpack -dc > "$2"
  [ "$(od -An -t x1 -N 4 "$2" | tr -d ' ')" = 7f454c46 ] || die "$1 holds no ELF file"
}

# add_modules TREE VERSION TARGET NAME...: modules and what they need, unpacked.
add_modules() {
  local tree=$1 version=$2 target=$3 name file
  shift 3
  for name in "$@"; do
    modprobe -d "$tree" -S "$version" --show-depends "$name" || die "the kernel $version has no $name"
  done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
    name=$target/lib/modules/$version/${file#*/lib/modules/"$version"/}
    mkdir -p "$(dirname "$name")"
    case $file in
      *.xz) xz -dc "$file" > "${name%.xz}" ;;
      *) cp "$file" "$name" ;;
    esac
  done
  cp "$tree/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} "$target/lib/modules/$version/"
  depmod -b "$target" "$version"
}

# start_of_tree FOLDER: busybox under all of its names.
start_of_tree() {
  local name
  mkdir -p "$1"/{bin,proc,sys,dev,tmp,mnt,etc}
  cp /bin/busybox "$1/bin/busybox"
  for name in $(/bin/busybox --list); do
    [ "$name" = busybox ] || ln -s busybox "$1/bin/$name"
  done
  ln -s bin "$1/sbin"
}

pack() { (cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0 --reproducible) > "$2"; }

# The digest of all that the images are made of.
recipe() {
  cat "$here/cache.sh" "$here"/l1/init "$here"/l2/* /bin/busybox "$cache"/debs/*.deb | sha256sum | cut -c 1-16
}

# make_images TARGET
make_images() {
  local work suite tree version name target=$1
  work=$(mktemp -d "$cache/work.XXXXXX")
  for suite in "${suites[@]}"; do
    log "unpacking the kernel of $suite"
    tree=$work/$suite
    dpkg -x "$cache/debs/$suite.deb" "$tree"
    [ -d "$tree/lib" ] || ln -s usr/lib "$tree/lib"
    version=$(basename "$tree"/boot/vmlinuz-*)
    version=${version#vmlinuz-}
    depmod -b "$tree" "$version"
    mkdir -p "$target/$suite"
    echo "$version" > "$target/$suite/version"
    cp "$tree/boot/vmlinuz-$version" "$target/$suite/vmlinuz"
    extract_vmlinux "$target/$suite/vmlinuz" "$target/$suite/vmlinux"
    start_of_tree "$work/l2-$suite"
    add_modules "$tree" "$version" "$work/l2-$suite" $l2_modules
    cp "$here/l2/init" "$work/l2-$suite/init"
    for name in load card; do
      gcc -O1 -static -Wall -o "$work/l2-$suite/bin/$name" "$here/l2/$name.c" || die "l2/$name.c does not compile"
    done
    pack "$work/l2-$suite" "$target/l2-$suite.cpio"
    start_of_tree "$work/l1-$suite"
    mkdir "$work/l1-$suite"/{lower,upper,root}
    add_modules "$tree" "$version" "$work/l1-$suite" $l1_modules
    cp "$here/l1/init" "$work/l1-$suite/init"
    pack "$work/l1-$suite" "$target/l1-$suite.cpio"
  done
  rm -rf "$work"
}

# Builds what is missing, and sets images to the folder. Needs the network for kernels only.
build_cache() {
  local suite
  mkdir -p "$cache/images"
  exec 8> "$cache/lock"
  flock 8
  for suite in "${suites[@]}"; do
    [ -e "$cache/debs/$suite.deb" ] || fetch_kernel "$suite"
  done
  images=$cache/images/$(recipe)
  if ! (cd "$images" && sha256sum --quiet -c digests) > /dev/null 2>&1; then
    rm -rf "$images" "$cache/images/new"
    mkdir -p "$cache/images/new"
    make_images "$cache/images/new"
    (cd "$cache/images/new" && sha256sum *.cpio */vmlinu[xz] > digests)
    mv "$cache/images/new" "$images"
    find "$cache/images" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | LC_ALL=C sort -rn | tail -n +4 |
      cut -d ' ' -f 2- | xargs -r -d '\n' rm -rf
  fi
  exec 8>&-
}
