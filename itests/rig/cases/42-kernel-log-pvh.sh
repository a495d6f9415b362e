# Debian's 6.12 has nothing to say against the board either.
machine trixie
same "the kernel's complaints" "" "$(kernel_complains)"
