/* The queries of a file, for dnsblast and tcpblast. */
#pragma once
#include <stdint.h>

#define MAX_QUERY 288

/* Reads a file with a `name TYPE` a line, as dnsperf does. Ends the process where it cannot. */
void load_queries(const char *path);

/* Length of the query that comes `ahead` places after the next one. */
int query_length(int ahead);

/* Writes the next query with the id given; returns its length. After the last one it begins again. */
int take_query(uint8_t *target, uint16_t id);

/* How often the end of the file was reached. */
extern uint64_t wrapped;
