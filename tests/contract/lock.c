// Compiles in every dialect of C and C++ that plugins are written in, if and only if abi.h still
// has the layout that was locked.
#include <distributo/abi.h>

#ifdef __cplusplus
#include <type_traits>
#define DTO_LOCK(...) static_assert(__VA_ARGS__, #__VA_ARGS__)
#define DTO_LOCK_TYPE(member, ...) static_assert(std::is_same<member, __VA_ARGS__>::value, #member)
#else
#define DTO_LOCK(...) _Static_assert(__VA_ARGS__, #__VA_ARGS__)
#endif

#include "layout_lock.inc"
