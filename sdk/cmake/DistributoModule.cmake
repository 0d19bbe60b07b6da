# How the project's own targets are built: one folder, one static library, one namespace.
include_guard()

add_library(distributo_options INTERFACE)
# g++ 12 sees overlapping copies in `"text" + std::string` that are none (GCC bug 105651).
target_compile_options(distributo_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
target_compile_definitions(distributo_options INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
    BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_NO_TS_EXECUTORS BOOST_DLL_USE_STD_FS)
target_include_directories(distributo_options INTERFACE
    ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/sdk ${PROJECT_SOURCE_DIR}/sdk/include
    ${PROJECT_BINARY_DIR}/generated)
target_link_libraries(distributo_options INTERFACE Boost::headers Threads::Threads)
if(DISTRIBUTO_SANITIZE STREQUAL "thread")
    target_compile_options(distributo_options INTERFACE -Wno-tsan)
endif()
if(DISTRIBUTO_SANITIZE)
    target_compile_options(distributo_options INTERFACE
        -fsanitize=${DISTRIBUTO_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(distributo_options INTERFACE -fsanitize=${DISTRIBUTO_SANITIZE})
endif()

# Sources that are compiled together share the cost of their headers and templates, which is most of
# it: six tests cost little more than two. The price is that what they declare in anonymous namespaces
# must not clash. The preset dev compiles every source alone, so that each includes what it uses.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 6)

# distributo_module(<name> [ALONE] SOURCES … HEADERS … [LINKS <public>…] [PRIVATE_LINKS <private>…])
# makes the static library distributo_<name>, used as distributo::<name>. ALONE: its sources
# are not compiled together, since names in their anonymous namespaces clash, or since a program
# that must stay small takes only some of them.
function(distributo_module name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "ALONE" "" "SOURCES;HEADERS;LINKS;PRIVATE_LINKS")
    set(target distributo_${name})
    add_library(${target} STATIC ${arg_SOURCES})
    add_library(distributo::${name} ALIAS ${target})
    target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
        FILES ${arg_HEADERS})
    target_link_libraries(${target} PUBLIC distributo_options ${arg_LINKS}
        PRIVATE ${arg_PRIVATE_LINKS})
    if(NOT arg_ALONE)
        set_target_properties(${target} PROPERTIES UNITY_BUILD ${DISTRIBUTO_UNITY})
    endif()
endfunction()

# distributo_test(<name> SOURCES … LINKS …) makes a GoogleTest binary and registers its cases.
function(distributo_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS;LABELS")
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE distributo_options ${arg_LINKS} GTest::gtest_main GTest::gmock)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ${DISTRIBUTO_UNITY})
    # GoogleTest writes __FILE__ everywhere: without the folder of the checkout in it, ccache can share
    # what is compiled between checkouts.
    target_compile_options(${name} PRIVATE -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
    # Test sources run once and are half of the build: only what they test is optimised.
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O0>)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    gtest_discover_tests(${name} PROPERTIES LABELS "${arg_LABELS}" DISCOVERY_MODE PRE_TEST)
endfunction()
