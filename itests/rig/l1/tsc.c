/* Prints how many kHz this host's time stamp counter has. An emulated processor reads that counter, and a kernel
 * that has the emulated timer for a measure may find a fraction of it while the host is busy: its clock would run
 * as many times too fast.
 */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static double nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

int main(void) {
  double begin = nanoseconds(), end;
  unsigned long long first = __rdtsc();
  while ((end = nanoseconds()) - begin < 5e7) {
  }
  return printf("%.0f\n", (__rdtsc() - first) / ((end - begin) / 1e6)) < 0;
}
