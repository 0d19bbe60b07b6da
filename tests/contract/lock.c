// Compiles in every dialect of C and C++ that plugins are written in, for every machine, if and
// only if abi.h still has the layout that was locked. Needs no header but those of the compiler,
// so that a compiler for another machine can check it without that machine's library.
// LOCK names the file of assertions.
#include <distributo/abi.h>

#ifdef __cplusplus
template <class One, class Other>
struct same {
    static const bool value = false;
};
template <class One>
struct same<One, One> {
    static const bool value = true;
};
#define DTO_ASSERT(...) static_assert(__VA_ARGS__, #__VA_ARGS__)
#define DTO_ALIAS(name, ...) DTO_ASSERT(same<name, __VA_ARGS__>::value)
#define DTO_TYPE(type, member, ...) DTO_ASSERT(same<decltype(type::member), __VA_ARGS__>::value)
#else
#define DTO_ASSERT(...) _Static_assert(__VA_ARGS__, #__VA_ARGS__)
#define DTO_ALIAS(name, ...) DTO_ASSERT(_Generic(*(name*)0, __VA_ARGS__ : 1, default : 0))
#define DTO_TYPE(type, member, ...) \
    DTO_ASSERT(_Generic(((type*)0)->member, __VA_ARGS__ : 1, default : 0))
#endif

#if UINTPTR_MAX == UINT64_MAX
#define DTO_COLUMN(at_64, at_32) (at_64)
#elif UINTPTR_MAX == UINT32_MAX
#define DTO_COLUMN(at_64, at_32) (at_32)
#else
#error "the layout is locked for 64-bit and 32-bit pointers only"
#endif

#define DTO_VALUE(name, value) DTO_ASSERT((name) == (value))
#define DTO_FROZEN(type, at_64, at_32) DTO_ASSERT(sizeof(type) == DTO_COLUMN(at_64, at_32))
#define DTO_GROWS(type, at_64, at_32) DTO_ASSERT(sizeof(type) >= DTO_COLUMN(at_64, at_32))
#define DTO_MEMBER(type, member, at_64, at_32, ...)                 \
    DTO_ASSERT(offsetof(type, member) == DTO_COLUMN(at_64, at_32)); \
    DTO_TYPE(type, member, __VA_ARGS__)
// No C compiler compares texts while it compiles; abi_test.py compares the lines.
#define DTO_TEXT(name, text) DTO_ASSERT(sizeof(name) == sizeof(text))

#include LOCK
