/* Records what a process writes to the databases below a folder, and when it asks for it to be on the disk.
 *
 * Loaded with LD_PRELOAD; POWER_FOLDER names the folder, POWER_LOG the file that gets one record for each call:
 * operation, length of the path, offset, length of the data, then path and data. Nothing else is changed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { FILES = 4096 };
static char *paths[FILES];
static int log_file = -1;

struct record {
    int64_t operation, path_length, offset, length;
};

static int followed(const char *path) {
    const char *folder = getenv("POWER_FOLDER");
    size_t length = path ? strlen(path) : 0;
    if (!folder || strncmp(path, folder, strlen(folder)) != 0)
        return 0;
    return (length > 3 && strcmp(path + length - 3, ".db") == 0) || (length > 4 && strcmp(path + length - 4, "-wal") == 0);
}

static void all(const void *data, size_t length) {
    const char *at = data;
    while (length > 0) {
        ssize_t written = syscall(SYS_write, log_file, at, length);
        if (written <= 0)
            _exit(97);
        at += written;
        length -= (size_t)written;
    }
}

static void note(char operation, const char *path, int64_t offset, const void *data, size_t length) {
    struct record head = {operation, (int64_t)strlen(path), offset, (int64_t)length};
    if (log_file < 0) {
        log_file = (int)syscall(SYS_openat, AT_FDCWD, getenv("POWER_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (log_file < 0)
            _exit(98);
    }
    all(&head, sizeof head);
    all(path, strlen(path));
    if (data)
        all(data, length);
}

static const char *path_of(int file) {
    return file >= 0 && file < FILES ? paths[file] : NULL;
}

static int remembered(int file, const char *path, int flags) {
    if (file >= 0 && file < FILES) {
        free(paths[file]);
        paths[file] = followed(path) ? strdup(path) : NULL;
        if (paths[file] && (flags & O_TRUNC))
            note('t', path, 0, NULL, 0);
    }
    return file;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, #name, const char *, int, ...); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        return remembered(real(path, flags, mode), path, flags); \
    }
OPEN(open)
OPEN(open64)

int close(int file) {
    REAL(int, "close", int);
    if (file >= 0 && file < FILES) {
        free(paths[file]);
        paths[file] = NULL;
    }
    return real(file);
}

#define PWRITE(name) \
    ssize_t name(int file, const void *data, size_t length, off64_t offset) { \
        REAL(ssize_t, #name, int, const void *, size_t, off64_t); \
        ssize_t done = real(file, data, length, offset); \
        if (done > 0 && path_of(file)) \
            note('w', path_of(file), offset, data, (size_t)done); \
        return done; \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int file, const void *data, size_t length) {
    REAL(ssize_t, "write", int, const void *, size_t);
    off_t offset = path_of(file) ? lseek(file, 0, SEEK_CUR) : 0;
    ssize_t done = real(file, data, length);
    if (done > 0 && path_of(file))
        note('w', path_of(file), offset, data, (size_t)done);
    return done;
}

#define TRUNCATE(name) \
    int name(int file, off64_t length) { \
        REAL(int, #name, int, off64_t); \
        int done = real(file, length); \
        if (done == 0 && path_of(file)) \
            note('t', path_of(file), length, NULL, 0); \
        return done; \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(name) \
    int name(int file) { \
        REAL(int, #name, int); \
        int done = real(file); \
        if (done == 0 && path_of(file)) \
            note('s', path_of(file), 0, NULL, 0); \
        return done; \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    int done = real(path);
    if (done == 0 && followed(path))
        note('u', path, 0, NULL, 0);
    return done;
}
