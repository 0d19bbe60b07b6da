// Loaded before libc (LD_PRELOAD): a disk that fills up or fails when a test says so. The file that
// DTO_DISK names holds one word:
//   full     nothing can be written while DTO_RESERVE exists; nothing is free
//   broken   syncs fail with EIO
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

static int is(const char* state) {
    char word[16] = {0};
    const char* path = getenv("DTO_DISK");
    const int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    const ssize_t size = read(file, word, sizeof word - 1);
    close(file);
    return size > 0 && strncmp(word, state, strlen(state)) == 0;
}

static int no_room(void) {
    const char* reserve = getenv("DTO_RESERVE");
    return is("full") && reserve && access(reserve, F_OK) == 0;
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
    ssize_t (*next)(int, const void*, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    if (!no_room())
        return next(file, bytes, size, at);
    errno = ENOSPC;
    return -1;
}

static int sync_with(const char* name, int file) {
    int (*next)(int) = dlsym(RTLD_NEXT, name);
    if (!is("broken"))
        return next(file);
    errno = EIO;
    return -1;
}

int fsync(int file) {
    return sync_with("fsync", file);
}

int fdatasync(int file) {
    return sync_with("fdatasync", file);
}

int statvfs(const char* path, struct statvfs* out) {
    int (*next)(const char*, struct statvfs*) = dlsym(RTLD_NEXT, "statvfs");
    const int result = next(path, out);
    if (is("full"))
        out->f_bavail = out->f_bfree = 0;
    return result;
}
