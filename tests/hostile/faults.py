"""Makes chosen calls of a run fail: a library, loaded before all others, stands between the program and HDF5, zlib and the system.

A call site is told by the function and the place in the program it returns to, so that every call in the source is met once.
"""
import os
import subprocess
from dataclasses import dataclass

# What a failing call returns, and errno.
MINUS_ONE, ZERO = -1, 0
EIO, ENOSPC, ENOMEM, EMFILE, EACCES, EINVAL = 5, 28, 12, 24, 13, 22

SYSTEM = {
    "close": (MINUS_ONE, EIO), "mkdir": (MINUS_ONE, EACCES), "fstat": (MINUS_ONE, EIO), "fchmod": (MINUS_ONE, EACCES), "fork": (MINUS_ONE, ENOMEM), "fsync": (MINUS_ONE, EIO),
    "ftruncate": (MINUS_ONE, EIO), "getrlimit": (MINUS_ONE, EACCES), "link": (MINUS_ONE, EACCES), "lseek": (MINUS_ONE, EIO),
    "mkostemp": (MINUS_ONE, EACCES), "mmap": (MINUS_ONE, ENOMEM), "open": (MINUS_ONE, EMFILE), "pipe2": (MINUS_ONE, EMFILE),
    "pread": (MINUS_ONE, EIO), "pwrite": (MINUS_ONE, ENOSPC), "read": (MINUS_ONE, EIO), "rename": (MINUS_ONE, EACCES),
    "renameat2": (MINUS_ONE, EACCES), "sched_getaffinity": (MINUS_ONE, EINVAL), "stat": (MINUS_ONE, EIO), "unlink": (MINUS_ONE, EACCES),
    "write": (MINUS_ONE, ENOSPC), "fallocate": (MINUS_ONE, ENOSPC), "gzopen": (ZERO, EMFILE), "gzgets": (ZERO, EIO),
    "deflateInit2_": (MINUS_ONE, ENOMEM), "deflate": (-2, 0), "deflateReset": (-2, 0), "inflateInit_": (MINUS_ONE, ENOMEM),
    "libdeflate_alloc_decompressor": (ZERO, ENOMEM), "libdeflate_alloc_compressor": (ZERO, ENOMEM), "ZSTD_createDCtx": (ZERO, ENOMEM),
    "ZSTD_createCCtx": (ZERO, ENOMEM), "XXH3_createState": (ZERO, ENOMEM),
}
# Those of HDF5 that fail with 0, those that have no failure to tell of, and those whose failure changes nothing.
HDF5_ZERO = {"H5Tget_size", "H5Dget_storage_size", "H5Tget_precision", "H5allocate_memory", "H5Tget_member_name"}
HDF5_LEFT_OUT = {"H5Pset_attr_creation_order",  # with more than 4,000 columns: minutes under this library
                 "H5check_version", "H5dont_atexit", "H5get_libversion", "H5open", "H5Ewalk2", "H5Eset_auto2", "H5Zfilter_avail", "H5free_memory"}

HDF5 = """
    H5Aclose H5Dclose H5Fclose H5Gclose H5Oclose H5Pclose H5Sclose H5Tclose H5Dvlen_reclaim
    H5Acreate2 H5Aexists H5Aget_space H5Aget_type H5Aiterate2 H5Aopen H5Aread H5Awrite H5Dcreate2 H5Dget_chunk_info_by_coord
    H5Dget_chunk_storage_size H5Dget_create_plist H5Dget_num_chunks H5Dget_offset H5Dget_space H5Dget_storage_size H5Dget_type H5Dopen2 H5Dread
    H5Dread_chunk H5Dset_extent H5Dwrite H5Dwrite_chunk H5Fcreate H5Fflush H5Fget_create_plist H5Fget_obj_count H5Fget_obj_ids H5Fopen H5Gcreate2 H5Gopen2
    H5Iget_file_id H5Iget_type
    H5Ldelete H5Lexists H5Lget_info H5Lget_val H5Literate H5Lunpack_elink_val H5Oget_info2 H5Oopen H5PLset_loading_state H5Pcreate
    H5Pget_chunk H5Pget_external_count H5Pget_fill_value H5Pget_filter2 H5Pget_layout H5Pget_nfilters H5Pget_sizes H5Pget_userblock
    H5Pset_chunk H5Pset_chunk_cache H5Pset_deflate H5Pset_elink_cb H5Pset_fapl_core H5Pset_file_locking H5Pset_filter H5Pset_obj_track_times
    H5Pset_shuffle H5Pset_userblock H5Pset_vlen_mem_manager H5Rdereference2 H5Screate H5Screate_simple H5Sget_simple_extent_dims
    H5Sget_simple_extent_ndims H5Sget_simple_extent_npoints H5Sget_simple_extent_type H5Sselect_hyperslab H5Tarray_create2 H5Tcopy
    H5Tcreate H5Tdetect_class H5Tenum_create H5Tenum_insert H5Tequal H5Tget_array_dims2 H5Tget_array_ndims H5Tget_class H5Tget_ebias H5Tget_fields
    H5Tget_member_index H5Tget_member_name H5Tget_member_type H5Tget_member_value H5Tget_nmembers H5Tget_order
    H5Tget_precision H5Tget_sign H5Tget_size H5Tget_strpad H5Tget_super H5Tinsert H5Tis_variable_str H5Tset_cset H5Tset_size
    H5Tset_strpad H5Zregister H5allocate_memory
""".split()
FUNCTIONS = [*SYSTEM, *HDF5]

SOURCE_HEAD = r"""
extern void* dlsym(void*, const char*);
typedef struct { const char* file; void* base; const char* symbol; void* address; } Place;
extern int dladdr(const void*, Place*);
extern char* getenv(const char*);
extern int snprintf(char*, unsigned long, const char*, ...);
extern int strcmp(const char*, const char*);
extern int strncmp(const char*, const char*, unsigned long);
extern unsigned long strlen(const char*);
extern unsigned long strcspn(const char*, const char*);
extern void* memchr(const void*, int, unsigned long);
extern int atoi(const char*);
extern char* strrchr(const char*, int);
extern long syscall(long, ...);
extern int* __errno_location(void);
static void note(const char* site) {
  const char* log = getenv("QUERN_CALLS_LOG");
  if (!log) return;
  long descriptor = syscall(2, log, 02001 | 0100, 0666); /* open: append, write only, create */
  char line[128];
  syscall(1, descriptor, line, (long)snprintf(line, sizeof line, "%s\n", site));
  syscall(3, descriptor);
}
/* LIST: SITE[:ERRNO][+CALLS], ...; CALLS: so many calls there go well. -1: fails as it usually does, above 0: with this errno */
static int failure(const char* list, const char* site) {
  static int met[16];
  const unsigned long length = strlen(site);
  for (int i = 0; list && *list; ++i) {
    const char* end = list + strcspn(list, ",");
    if (!strncmp(list, site, length) && (list + length == end || list[length] == ':' || list[length] == '+')) {
      const char *error = memchr(list, ':', end - list), *calls = memchr(list, '+', end - list);
      if (++met[i] > (calls ? atoi(calls + 1) : 0)) return error ? atoi(error + 1) : -1;
      return 0;
    }
    list = *end ? end + 1 : end;
  }
  return 0;
}
static int fails(const char* function, long flags, void* caller) {
  static __thread int busy; /* what is called here may be among what is wrapped */
  if (busy) return 0;
  busy = 1;
  const char* absent = getenv("QUERN_CALL_ABSENT");
  if (absent && !strcmp(function, absent)) {
    busy = 0;
    return 22; /* EINVAL */
  }
  if (absent && !strcmp(absent, "O_TMPFILE") && !strcmp(function, "open") && (flags & 020000000)) {
    busy = 0;
    return 95; /* EOPNOTSUPP */
  }
  Place place;
  int failing = 0;
  const char* wanted = getenv("QUERN_CALL_FAILS");
  if ((wanted || getenv("QUERN_CALLS_LOG")) && dladdr(caller, &place) && place.file) {
    const char* slash = strrchr(place.file, '/');
    if (!strcmp(slash ? slash + 1 : place.file, "quern")) {
      char site[96];
      snprintf(site, sizeof site, "%s@%lx", function, (long)((char*)caller - (char*)place.base));
      note(site);
      failing = failure(wanted, site);
      if (failing && getenv("QUERN_CALL_INTERRUPTED")) {
        static int failed;
        failing = failed ? 0 : 4; /* EINTR */
        failed = 1;
      }
    }
  }
  busy = 0;
  return failing;
}
/* a close gives back what it closes, whatever it says */
#define WRAP(name, result, error, acts) \
  long name(long a, long b, long c, long d, long e, long f, long g, long h) { \
    static long (*real)(long, long, long, long, long, long, long, long); \
    if (!real) real = dlsym((void*)-1, #name); \
    const int failing = fails(#name, b, __builtin_return_address(0)); \
    if (failing) { \
      if (acts) real(a, b, c, d, e, f, g, h); \
      *__errno_location() = failing > 0 ? failing : error; \
      return result; \
    } \
    return real(a, b, c, d, e, f, g, h); \
  }
"""


def hdf5_calls(binary):
    """The functions of HDF5 that the program calls."""
    listing = subprocess.run(["nm", "-D", "--undefined-only", binary], check=True, capture_output=True, text=True).stdout
    names = {line.split()[-1].split("@")[0] for line in listing.splitlines()}
    return sorted(name for name in names if name.startswith("H5") and not name.endswith("_g"))


def build(folder):
    """Compiles the library; its path."""
    functions = dict(SYSTEM)
    functions.update({name: (ZERO if name in HDF5_ZERO else MINUS_ONE, 0) for name in HDF5})
    source = folder / "faults.c"
    source.write_text(SOURCE_HEAD + "".join(f"WRAP({name}, {result}, {error}, {int('close' in name)})\n" for name, (result, error) in functions.items()), encoding="ascii")
    library = folder / "faults.so"
    subprocess.run(["gcc", "-w", "-O1", "-fno-builtin", "-shared", "-fPIC", source, "-o", library, "-ldl"], check=True)
    return library


@dataclass
class Faults:
    """The environment of runs with the library."""

    library: str

    def log(self, path, absent=""):
        return {**os.environ, "LD_PRELOAD": str(self.library), "QUERN_CALLS_LOG": str(path), "QUERN_CALL_ABSENT": absent}

    def fail(self, *sites, absent=""):
        """`sites` may say with which errno and after how many calls: SITE:ERRNO+CALLS; `absent`: what the system has not, a
        function or O_TMPFILE."""
        return {**os.environ, "LD_PRELOAD": str(self.library), "QUERN_CALL_FAILS": ",".join(sites), "QUERN_CALL_ABSENT": absent}

    def interrupt(self, site):
        """The first call there fails with EINTR."""
        return {**self.fail(site), "QUERN_CALL_INTERRUPTED": "1"}
