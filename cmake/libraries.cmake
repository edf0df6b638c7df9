# What Debian 12 has as packages: libfuse3-dev, libmsgpack-dev, zlib1g-dev,
# libsodium-dev, libseccomp-dev, libarchive-dev, check. Their headers are system
# headers (no warnings of ours for them).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(MSGPACK REQUIRED IMPORTED_TARGET msgpack)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(FUSE3 REQUIRED IMPORTED_TARGET fuse3>=3.14)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(CHECK IMPORTED_TARGET check)
# Optional: a faster CRC (libisal-dev).
pkg_check_modules(ISAL IMPORTED_TARGET libisal)

# Of what the daemon needs beside the C library the archives, where they are
# installed: each shared object would cost a mount a tenth of a millisecond.
function(batfs_link_archive package)
	find_library(BATFS_${package}_ARCHIVE ${ARGV1}
		HINTS ${${package}_LIBRARY_DIRS} ${${package}_LIBDIR})
	if(BATFS_${package}_ARCHIVE)
		set_property(TARGET PkgConfig::${package} PROPERTY
			INTERFACE_LINK_LIBRARIES
			${BATFS_${package}_ARCHIVE} Threads::Threads)
	endif()
	mark_as_advanced(BATFS_${package}_ARCHIVE)
endfunction()
if(CMAKE_BUILD_TYPE MATCHES "Rel")
	batfs_link_archive(ZLIB libz.a)
	batfs_link_archive(SODIUM libsodium.a)
	batfs_link_archive(FUSE3 libfuse3.a)
	batfs_link_archive(SECCOMP libseccomp.a)
endif()
