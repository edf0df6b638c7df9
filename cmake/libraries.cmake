# What Debian 12 has as packages: libfuse3-dev, libmsgpack-dev, zlib1g-dev,
# libsodium-dev, libarchive-dev, check. Their headers are system headers (no
# warnings of ours for them).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(MSGPACK REQUIRED IMPORTED_TARGET msgpack)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(FUSE3 REQUIRED IMPORTED_TARGET fuse3>=3.14)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(CHECK IMPORTED_TARGET check)
# Optional: a faster CRC (libisal-dev).
pkg_check_modules(ISAL IMPORTED_TARGET libisal)
