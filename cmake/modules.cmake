# The files of modules of the folder that asks: <module>.c and its parts,
# <module>_<part>.c. A segment_dir.c is found twice, by segment and by itself.
function(batfs_sources_of_modules out)
	set(sources)
	foreach(module IN LISTS ARGN)
		file(GLOB found CONFIGURE_DEPENDS
			${CMAKE_CURRENT_SOURCE_DIR}/${module}.c
			${CMAKE_CURRENT_SOURCE_DIR}/${module}_*.c)
		list(APPEND sources ${found})
	endforeach()
	list(REMOVE_DUPLICATES sources)
	set(${out} ${sources} PARENT_SCOPE)
endfunction()
