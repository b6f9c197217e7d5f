/* What was sent, what came back, and how long it took, for dnsblast and tcpblast. */
#pragma once
#include <stdint.h>

#define REPLY_HEADER 12

extern uint64_t sent, answered, lost, bad;

/* Monotonic. */
uint64_t now_ns(void);

/* Takes the time and CPU time that the run begins with; returns now_ns(). */
uint64_t begin_tally(void);

/* Counts the answer to a query; `header` is its first REPLY_HEADER bytes. */
void count_answer(const uint8_t *header, uint64_t latency_ns);

/*
 * Prints one line: qps; counts of answered, lost, bad (no response, unknown or late id) and of the rcodes; how often the
 * end of the file was reached (wrapped); this process's CPU time in per cent of the time that the run took (busy);
 * percentiles of the time between send and receive in microseconds.
 */
void print_tally(void);
