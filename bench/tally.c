#define _GNU_SOURCE
#include "tally.h"
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include "queries.h"

#define BUCKET_NS 100
#define BUCKETS 2000000 /* up to 0.2 s; the last one takes all that is slower */

uint64_t sent, answered, lost, bad;

static uint32_t histogram[BUCKETS];
static uint64_t rcodes[16], start_ns, start_cpu_ns;

uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static uint64_t cpu_ns(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  uint64_t seconds = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
  return seconds * 1000000000ull + (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ull;
}

uint64_t begin_tally(void) {
  start_cpu_ns = cpu_ns();
  return start_ns = now_ns();
}

void count_answer(const uint8_t *header, uint64_t latency_ns) {
  uint64_t bucket = latency_ns / BUCKET_NS;
  histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
  rcodes[header[3] & 15]++;
  answered++;
}

void print_tally(void) {
  static const double percentiles[] = {.5, .9, .99, .999};
  uint64_t took_ns = now_ns() - start_ns, below = 0;
  int at = 0;
  printf("qps %.0f answered %lu lost %lu bad %lu noerror %lu nxdomain %lu servfail %lu refused %lu wrapped %lu busy %.0f latency_us",
         (double)answered * 1e9 / (double)took_ns, answered, lost, bad, rcodes[0], rcodes[3], rcodes[2], rcodes[5], wrapped,
         (double)(cpu_ns() - start_cpu_ns) * 100 / (double)took_ns);
  for (int i = 0; i < BUCKETS && at < 4; i++) {
    below += histogram[i];
    for (; answered && at < 4 && (double)below >= percentiles[at] * (double)answered; at++)
      printf(" p%g=%.1f", percentiles[at] * 100, i * (BUCKET_NS / 1000.0));
  }
  printf("\n");
}
