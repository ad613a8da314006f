/* A disk that fails, put under a program by LD_PRELOAD: of the writes and syncs that it makes to files under HONE_DISK_UNDER,
 * all processes of it together, the n-th from now is refused; then that one alone, or every one until it is told otherwise.
 * Told by a file of four 32-bit numbers, HONE_DISK_ORDERS: how many more may pass (negative: all), the errno, whether it lasts,
 * and how many were refused. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

struct orders { atomic_int left; int number; int lasts; atomic_int refused; };
static struct orders *orders;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("HONE_DISK_ORDERS");
  int fd = path ? open(path, O_RDWR) : -1;
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) orders = at;
  close(fd);
}

static int is_ours(int fd) {
  char link[64], path[4096];
  const char *under = getenv("HONE_DISK_UNDER");
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = under ? readlink(link, path, sizeof path - 1) : -1;
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, under, strlen(under)) == 0;
}

static int refuses(int fd) {
  if (!orders || atomic_load(&orders->left) < 0 || !is_ours(fd)) return 0;
  int left = atomic_fetch_sub(&orders->left, 1);
  if (left > 0) return 0;
  if (left < 0) return 0;
  atomic_store(&orders->left, orders->lasts ? 0 : -1);
  atomic_fetch_add(&orders->refused, 1);
  errno = orders->number;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
ssize_t write(int fd, const void *b, size_t n) { return refuses(fd) ? -1 : REAL(write)(fd, b, n); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { return refuses(fd) ? -1 : REAL(pwrite)(fd, b, n, at); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) { return refuses(fd) ? -1 : REAL(pwrite64)(fd, b, n, at); }
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) { return refuses(fd) ? -1 : REAL(pwritev)(fd, v, n, at); }
ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t at) { return refuses(fd) ? -1 : REAL(pwritev64)(fd, v, n, at); }
int fsync(int fd) { return refuses(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return refuses(fd) ? -1 : REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t n) { return refuses(fd) ? -1 : REAL(ftruncate)(fd, n); }
int posix_fallocate(int fd, off_t at, off_t n) { return refuses(fd) ? orders->number : REAL(posix_fallocate)(fd, at, n); }
int posix_fallocate64(int fd, off64_t at, off64_t n) { return refuses(fd) ? orders->number : REAL(posix_fallocate64)(fd, at, n); }
