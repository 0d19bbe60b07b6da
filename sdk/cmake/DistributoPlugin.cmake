# How plugins and their tests are built, in and outside of Distributo's own tree.
include_guard()

# distributo_add_plugin(<name> SOURCES … [LINKS …] [OUTPUT_DIRECTORY <dir>])
# makes the plugin <name>.so: C++20, exactly one exported symbol, and every symbol that it needs
# resolved when it is linked, not when a task first calls it. OUTPUT_DIRECTORY defaults to
# DISTRIBUTO_PLUGIN_OUTPUT_DIRECTORY, and that to the current binary directory.
function(distributo_add_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "SOURCES;LINKS")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
        message(FATAL_ERROR "usage: distributo_add_plugin(<name> SOURCES <file>... [LINKS "
            "<library>...] [OUTPUT_DIRECTORY <dir>]); got: ${name} ${ARGN}")
    endif()
    if(NOT arg_OUTPUT_DIRECTORY)
        set(arg_OUTPUT_DIRECTORY ${DISTRIBUTO_PLUGIN_OUTPUT_DIRECTORY})
    endif()
    if(NOT arg_OUTPUT_DIRECTORY)
        set(arg_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    endif()

    add_library(${name} MODULE ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE Distributo::sdk ${arg_LINKS})
    set_target_properties(${name} PROPERTIES
        PREFIX ""
        LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY}
        C_VISIBILITY_PRESET hidden
        CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON)
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if(CXX IN_LIST languages)
        target_compile_features(${name} PRIVATE cxx_std_20)
    endif()
    if(TARGET distributo_plugin_options)
        target_link_libraries(${name} PRIVATE distributo_plugin_options)
    endif()
    if(UNIX AND NOT APPLE)
        set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
        target_link_options(${name} PRIVATE -Wl,--version-script=${map} -Wl,-z,defs -Wl,-z,now)
        set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS ${map})
    endif()
endfunction()

# distributo_add_plugin_test(<name> PLUGIN <target> SOURCES … [LINKS …])
# makes a test that finds the plugin's path in the macro DISTRIBUTO_PLUGIN_FILE.
function(distributo_add_plugin_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "PLUGIN" "SOURCES;LINKS")
    add_executable(${name} ${arg_SOURCES})
    target_compile_features(${name} PRIVATE cxx_std_20)
    target_compile_definitions(${name} PRIVATE
        DISTRIBUTO_PLUGIN_FILE="$<TARGET_FILE:${arg_PLUGIN}>")
    target_link_libraries(${name} PRIVATE Distributo::sdk ${arg_LINKS} ${CMAKE_DL_LIBS})
    if(TARGET distributo_plugin_options)
        target_link_libraries(${name} PRIVATE distributo_plugin_options)
    endif()
    add_dependencies(${name} ${arg_PLUGIN})
    add_test(NAME ${name} COMMAND ${name})
endfunction()

# distributo_add_plugin_check(<target> [SAMPLE <file>] [CONFIG <JSON>])
# makes the test <target>.check: `distributo plugin check` of the plugin, with a task that succeeds,
# and with a configuration that works; relative paths in it are meant from an empty folder.
# Without the command distributo (DISTRIBUTO_PROGRAM) there is no such test.
function(distributo_add_plugin_check target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "SAMPLE;CONFIG" "")
    find_program(DISTRIBUTO_PROGRAM distributo
        HINTS ${Distributo_DIR}/bin ${Distributo_DIR}/../../../bin)
    if(NOT DISTRIBUTO_PROGRAM)
        message(STATUS "${target}: not checked, since the command distributo was not found "
            "(-DDISTRIBUTO_PROGRAM=<path>)")
        return()
    endif()
    set(sample)
    if(arg_SAMPLE)
        cmake_path(ABSOLUTE_PATH arg_SAMPLE)
        set(sample --task ${arg_SAMPLE})
    endif()
    set(config)
    if(arg_CONFIG)
        set(config --config ${arg_CONFIG})
    endif()
    add_test(NAME ${target}.check
        COMMAND ${DISTRIBUTO_PROGRAM} plugin check $<TARGET_FILE:${target}> ${sample} ${config})
endfunction()
