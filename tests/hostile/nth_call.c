// Stands between the program and the system and lets the Nth call of one function go wrong; see nth_call.py.
// Only calls that change what is on disk below QUERN_NTH_FOLDER count, whoever makes them: the program, HDF5, zlib.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum Fate { goes_well, fails, is_short, is_lost };

static int below_folder(const char* path) {
  const char* folder = getenv("QUERN_NTH_FOLDER");
  return folder && path && !strncmp(path, folder, strlen(folder));
}

static int is_below_folder(int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return below_folder(path);
}

static void note(const char* function) {
  const char* log = getenv("QUERN_NTH_LOG");
  if (!log) return;
  char line[64];
  const int length = snprintf(line, sizeof line, "%s\n", function);
  const long descriptor = syscall(SYS_open, log, O_WRONLY | O_APPEND | O_CREAT, 0666);
  syscall(SYS_write, descriptor, line, (long)length);
  syscall(SYS_close, descriptor);
}

// QUERN_NTH_HOW: once, ever (from the Nth on), short (the Nth does half of what it should), lost (it does nothing and says it did).
static enum Fate fate(const char* function) {
  static int met = 0;
  note(function);
  const char *wanted = getenv("QUERN_NTH_FUNCTION"), *number = getenv("QUERN_NTH_NUMBER"), *how = getenv("QUERN_NTH_HOW");
  if (!wanted || !number || !how || strcmp(wanted, function)) return goes_well;
  const int turn = __atomic_add_fetch(&met, 1, __ATOMIC_SEQ_CST), nth = atoi(number);
  if (turn == nth) return !strcmp(how, "short") ? is_short : !strcmp(how, "lost") ? is_lost : fails;
  return turn > nth && !strcmp(how, "ever") ? fails : goes_well;
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define FAIL_OR(error, condition, call) \
  if ((condition) && fate(__func__) == fails) { \
    errno = error; \
    return -1; \
  } \
  return call

ssize_t write(int descriptor, const void* bytes, size_t size) {
  REAL(write);
  if (is_below_folder(descriptor)) {
    const enum Fate now = fate("write");
    if (now == is_short && size > 1) size /= 2;
    if (now == fails) {
      errno = ENOSPC;
      return -1;
    }
  }
  return real(descriptor, bytes, size);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  REAL(pwrite);
  if (is_below_folder(descriptor)) {
    const enum Fate now = fate("pwrite");
    if (now == is_lost) return (ssize_t)size;
    if (now == is_short && size > 1) size /= 2;
    if (now == fails) {
      errno = ENOSPC;
      return -1;
    }
  }
  return real(descriptor, bytes, size, offset);
}

ssize_t pread(int descriptor, void* bytes, size_t size, off_t offset) {
  REAL(pread);
  if (is_below_folder(descriptor)) {
    const enum Fate now = fate("pread");
    if (now == is_short && size > 1) size /= 2;
    if (now == fails) {
      errno = EIO;
      return -1;
    }
  }
  return real(descriptor, bytes, size, offset);
}

int open(const char* path, int flags, ...) {
  static int (*real)(const char*, int, ...);
  if (!real) real = (int (*)(const char*, int, ...))dlsym(RTLD_NEXT, "open");
  __builtin_va_list more;
  __builtin_va_start(more, flags);
  const int mode = (flags & (O_CREAT | O_TMPFILE)) ? __builtin_va_arg(more, int) : 0;
  __builtin_va_end(more);
  const char* absent = getenv("QUERN_NTH_ABSENT");
  if (absent && !strcmp(absent, "O_TMPFILE") && (flags & O_TMPFILE) == O_TMPFILE) {
    errno = EOPNOTSUPP;
    return -1;
  }
  FAIL_OR(EMFILE, below_folder(path), real(path, flags, mode));
}

int ftruncate(int descriptor, off_t size) {
  REAL(ftruncate);
  FAIL_OR(EIO, is_below_folder(descriptor), real(descriptor, size));
}
int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  REAL(fallocate);
  FAIL_OR(ENOSPC, is_below_folder(descriptor), real(descriptor, mode, offset, size));
}
int fsync(int descriptor) {
  REAL(fsync);
  FAIL_OR(EIO, is_below_folder(descriptor), real(descriptor));
}
int fchmod(int descriptor, mode_t mode) {
  REAL(fchmod);
  FAIL_OR(EACCES, is_below_folder(descriptor), real(descriptor, mode));
}
int chmod(const char* path, mode_t mode) {
  REAL(chmod);
  FAIL_OR(EACCES, below_folder(path), real(path, mode));
}
int mkdir(const char* path, mode_t mode) {
  REAL(mkdir);
  FAIL_OR(EACCES, below_folder(path), real(path, mode));
}
int rename(const char* from, const char* to) {
  REAL(rename);
  FAIL_OR(EACCES, below_folder(to), real(from, to));
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  REAL(renameat2);
  const char* absent = getenv("QUERN_NTH_ABSENT");
  if (absent && !strcmp(absent, "renameat2")) {
    errno = EINVAL;
    return -1;
  }
  FAIL_OR(EACCES, below_folder(to), real(from_folder, from, to_folder, to, flags));
}
int link(const char* from, const char* to) {
  REAL(link);
  FAIL_OR(EACCES, below_folder(to), real(from, to));
}
// What is closed is closed, whatever is said of it. Only that of files which were written matters.
int close(int descriptor) {
  REAL(close);
  const int written = (fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_RDONLY && is_below_folder(descriptor);
  const enum Fate now = written ? fate("close") : goes_well;
  const int result = real(descriptor);
  if (now != fails) return result;
  errno = EIO;
  return -1;
}
