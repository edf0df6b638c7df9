# The flags of every target of ours: an interface library, so that headers of
# other projects are never compiled with them.
add_library(batfs_flags INTERFACE)
target_compile_definitions(batfs_flags INTERFACE _GNU_SOURCE
	_FILE_OFFSET_BITS=64 BATFS_VERSION="${PROJECT_VERSION}")
target_compile_options(batfs_flags INTERFACE
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
	-Wpointer-arith -Wcast-align -Wcast-qual -Wwrite-strings -Wundef -Wvla
	-Wformat=2 -Wswitch-enum -Wdouble-promotion -Wnull-dereference
	-Wimplicit-fallthrough -Wdate-time)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	target_compile_options(batfs_flags INTERFACE -Wlogical-op
		-Wduplicated-cond -Wduplicated-branches -Walloc-zero)
else()
	target_compile_options(batfs_flags INTERFACE
		-Wconditional-uninitialized -Wcomma -Wshorten-64-to-32
		-Wassign-enum -Wunreachable-code -Wthread-safety)
endif()
if(BATFS_WERROR)
	target_compile_options(batfs_flags INTERFACE -Werror)
endif()
if(BATFS_SANITIZE)
	target_compile_options(batfs_flags INTERFACE
		-fsanitize=${BATFS_SANITIZE} -fno-sanitize-recover=all
		-fno-omit-frame-pointer -O1)
	target_link_options(batfs_flags INTERFACE
		-fsanitize=${BATFS_SANITIZE})
endif()
if(BATFS_FUZZ)
	# Counts the edges everywhere; only the targets link the driver.
	target_compile_options(batfs_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(BATFS_COVERAGE)
	# Without atomic counters two threads may leave a negative one.
	target_compile_options(batfs_flags INTERFACE --coverage
		-fprofile-update=atomic)
	target_link_options(batfs_flags INTERFACE --coverage)
endif()
if(BATFS_SANITIZE OR BATFS_COVERAGE)
	target_compile_definitions(batfs_flags INTERFACE BATFS_INSTRUMENTED)
endif()
if(BATFS_PLANTS)
	target_compile_definitions(batfs_flags INTERFACE BAT_PLANTS)
endif()
# Assertions stay on in every build.
target_compile_options(batfs_flags INTERFACE -UNDEBUG)
# Hardening; _FORTIFY_SOURCE needs optimisation and no sanitizer.
target_compile_options(batfs_flags INTERFACE -fstack-protector-strong)
target_link_options(batfs_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
if(NOT BATFS_SANITIZE AND CMAKE_BUILD_TYPE MATCHES "Rel")
	target_compile_options(batfs_flags INTERFACE -U_FORTIFY_SOURCE
		-D_FORTIFY_SOURCE=2)
endif()
