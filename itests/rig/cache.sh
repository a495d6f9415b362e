# cache.sh: what the rig keeps, under ${XDG_CACHE_HOME:-~/.cache}/backplane/rig. Sourced by rig.
#   debs/SUITE.deb                       the suite's kernel package
#   debs/u-boot.deb                      a guest for the embedded processor
#   debs/cdev.deb cdev.tar               a kernel for L1, and its VFIO with IOMMUFD
#   images/KEY                           made of the packages and of this checkout's scripts, as KEY tells:
#     SUITE/version vmlinuz vmlinux        the kernel, and the ELF file that its bzImage holds
#     l1-SUITE.cpio l2-SUITE.cpio          the initial file systems
#     u-boot.img                           U-Boot for RISC-V behind the header of a kernel
#     digests                              SHA-256 of all of these
# Everything is made once. Images of other checkouts stay, the latest three.

suites=(bookworm trixie)
l1_suite=bookworm # the kernel of L1: it has kvm-amd, vfio-pci and 9p
l1_modules="virtio_pci 9p 9pnet_virtio overlay kvm-amd vfio-pci vfio_iommu_type1 tun virtio_net e1000 bridge"
l2_modules="virtio_pci virtio_mmio virtio_blk virtio_net virtio_rng button evdev ext4 nvme e1000e igb 8139cp xhci_pci usb_storage sd_mod"

# open_apt SUITE: an apt of its own for that suite of the host's mirror, in $apt; it checks signatures and digests.
open_apt() {
  mkdir -p "$cache/debs"
  apt=$(mktemp -d "$cache/apt.XXXXXX")
  apt_for "$apt" "$1"
}

# The package that a package of $apt depends on and whose name begins so.
needed_by() { apt_in "$apt" apt-cache show --no-all-versions "$1" | sed -n "s/^Depends:.*\($2[0-9][^ ,]*\).*/\1/p"; }

download() { (cd "$apt" && apt_in "$apt" apt-get -qq download "$@") || die "$* could not be fetched"; }

# fetch_kernel SUITE
fetch_kernel() {
  local apt package
  open_apt "$1"
  package=$(needed_by linux-image-amd64 linux-image-)
  [ -n "$package" ] || die "linux-image-amd64 of $1 names no kernel"
  log "fetching $package"
  download "$package"
  mv "$apt"/*.deb "$cache/debs/$1.deb"
  rm -rf "$apt"
}

fetch_u_boot() {
  local apt
  open_apt bookworm
  log "fetching U-Boot"
  download u-boot-qemu
  mv "$apt"/*.deb "$cache/debs/u-boot.deb"
  rm -rf "$apt"
}

# u_boot_image DEB TARGET: U-Boot for S-mode, which wants to be at 0x80200000 and has no header, behind a page
# that begins as a kernel does (Linux, Documentation/arch/riscv/boot-image-header.rst) and jumps over itself.
u_boot_image() {
  local work=$2.tree binary
  dpkg -x "$1" "$work"
  binary=$work/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin
  perl -e 'my $jump = 0x6f | 0x1000 >> 12 << 12;
    print pack("L<x4Q<Q<Q<L<x12a8a4", $jump, 0x1ff000, $ARGV[0] + 0x401000, 0, 2, "RISCV", "RSC\x05"), "\0" x (4096 - 60)' \
    "$(stat -c %s "$binary")" > "$2"
  cat "$binary" >> "$2"
  rm -rf "$work"
}

# fetch_cdev: no kernel of Debian's has IOMMUFD and with it VFIO's devices of their own (/dev/vfio/devices). The
# backports of bookworm have a kernel together with all that modules for it are built with here: its VFIO
# modules and IOMMUFD's, from Debian's own source, with those two options. To debs/cdev.deb and debs/cdev.tar.
fetch_cdev() (
  set -e
  open_apt bookworm-backports
  version=$(needed_by linux-image-amd64 linux-image-)
  version=${version#linux-image-} version=${version%-amd64}
  series=$(echo "$version" | cut -d . -f 1,2)
  download "linux-image-$version-amd64" "linux-headers-$version-amd64" "linux-headers-$version-common" \
    "linux-kbuild-$version" "linux-source-$series"
  cd "$apt"
  for package in linux-headers-* linux-kbuild-*; do dpkg -x "$package" headers; done
  dpkg --fsys-tarfile linux-source-*.deb | tar -xO "./usr/src/linux-source-$series.tar.xz" |
    tar -xJ --strip-components=1 --wildcards "linux-source-$series/drivers/vfio/*" "linux-source-$series/drivers/iommu/*" \
      "linux-source-$series/lib/interval_tree.c"
  mkdir modules
  mv drivers/vfio drivers/iommu/iommufd drivers/iommu/iommu-priv.h modules/
  echo 'obj-m += iommufd/ vfio/' > modules/Kbuild
  # What IOMMUFD needs of lib/interval_tree.c is in a kernel that has IOMMUFD only.
  {
    printf '#include <linux/%s.h>\n' interval_tree module
    sed -n '/^#ifdef CONFIG_INTERVAL_TREE_SPAN_ITER/,/^#endif/p' lib/interval_tree.c
  } > modules/iommufd/spans.c
  sed -i 's/^\tvfio_compat.o/& spans.o/' modules/iommufd/Makefile
  echo "include $apt/headers/usr/src/linux-headers-$version-common/Makefile" \
    > "headers/usr/src/linux-headers-$version-amd64/Makefile"
  log "building VFIO with IOMMUFD for $version"
  make -s -C "headers/usr/src/linux-headers-$version-amd64" "M=$apt/modules" modules \
    CONFIG_IOMMUFD=m CONFIG_IOMMUFD_DRIVER=y CONFIG_VFIO_DEVICE_CDEV=y CONFIG_DEBUG_INFO_BTF_MODULES= \
    KCFLAGS="-DCONFIG_IOMMUFD_MODULE=1 -DCONFIG_VFIO_DEVICE_CDEV=1 -DCONFIG_INTERVAL_TREE_SPAN_ITER=1" > build.log 2>&1
  find modules -name '*.ko' | sed 's/^modules.//' | tar -C modules -cf "$cache/debs/cdev.tar" -T -
  mv linux-image-*.deb "$cache/debs/cdev.deb"
  rm -rf "$apt"
)

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
  cat "$here/cache.sh" "$here"/l1/init "$here"/l2/* /bin/busybox "$cache"/debs/* | sha256sum | cut -c 1-16
}

# make_l1 TREE VERSION FOLDER TARGET
make_l1() {
  start_of_tree "$3"
  mkdir "$3"/{lower,upper,root}
  add_modules "$1" "$2" "$3" $l1_modules
  cp "$here/l1/init" "$3/init"
  pack "$3" "$4"
}

# make_images TARGET
make_images() {
  local work suite tree version name target=$1
  work=$(mktemp -d "$cache/work.XXXXXX")
  for suite in "${suites[@]}" cdev; do
    [ -e "$cache/debs/$suite.deb" ] || continue
    log "unpacking the kernel of $suite"
    tree=$work/$suite
    dpkg -x "$cache/debs/$suite.deb" "$tree"
    [ -d "$tree/lib" ] || ln -s usr/lib "$tree/lib"
    version=$(basename "$tree"/boot/vmlinuz-*)
    version=${version#vmlinuz-}
    if [ "$suite" = cdev ]; then
      rm -rf "$tree/lib/modules/$version"/kernel/drivers/vfio
      mkdir -p "$tree/lib/modules/$version/kernel/drivers/vfio"
      tar -C "$tree/lib/modules/$version/kernel/drivers/vfio" -xf "$cache/debs/cdev.tar"
    fi
    depmod -b "$tree" "$version"
    mkdir -p "$target/$suite"
    echo "$version" > "$target/$suite/version"
    cp "$tree/boot/vmlinuz-$version" "$target/$suite/vmlinuz"
    extract_vmlinux "$target/$suite/vmlinuz" "$target/$suite/vmlinux"
    make_l1 "$tree" "$version" "$work/l1-$suite" "$target/l1-$suite.cpio"
    [ "$suite" != cdev ] || continue
    start_of_tree "$work/l2-$suite"
    add_modules "$tree" "$version" "$work/l2-$suite" $l2_modules
    cp "$here/l2/init" "$work/l2-$suite/init"
    for name in load card; do
      gcc -O1 -static -Wall -o "$work/l2-$suite/bin/$name" "$here/l2/$name.c" || die "l2/$name.c does not compile"
    done
    pack "$work/l2-$suite" "$target/l2-$suite.cpio"
  done
  u_boot_image "$cache/debs/u-boot.deb" "$target/u-boot.img"
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
  [ -e "$cache/debs/u-boot.deb" ] || fetch_u_boot
  if [ ! -e "$cache/debs/cdev.deb" ]; then
    # Not as a condition, inside of which set -e does nothing.
    fetch_cdev &
    wait $! || log "no L1 with IOMMUFD could be made, and its cases are skipped: $(tail -n 2 "$cache"/apt.*/build.log 2> /dev/null)"
    rm -rf "$cache"/apt.*
  fi
  images=$cache/images/$(recipe)
  if ! (cd "$images" && sha256sum --quiet -c digests) > /dev/null 2>&1; then
    rm -rf "$images" "$cache/images/new"
    mkdir -p "$cache/images/new"
    make_images "$cache/images/new"
    (cd "$cache/images/new" && sha256sum *.cpio *.img */vmlinu[xz] > digests)
    mv "$cache/images/new" "$images"
    find "$cache/images" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | LC_ALL=C sort -rn | tail -n +4 |
      cut -d ' ' -f 2- | xargs -r -d '\n' rm -rf
  fi
  exec 8>&-
}
