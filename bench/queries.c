#include "queries.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t wrapped;

/* All queries in wire form, one after the other, so that two million of them need 100 MB and not 600. */
static uint8_t *wires;
static uint64_t *offsets; /* query i lies in [offsets[i], offsets[i + 1]) */
static int query_count, next_query;

static int type_number(const char *text) {
  static const struct { const char *name; int number; } types[] = {
      {"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"PTR", 12}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"SRV", 33}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (!strcmp(text, types[i].name)) return types[i].number;
  return atoi(text);
}

/* Writes a query with RD=1, one question and id 0; returns its length, 0 where the name is not one. */
static int write_query(uint8_t *wire, const char *name, int type) {
  int at = 12;
  memset(wire, 0, 12);
  wire[2] = 1;
  wire[5] = 1;
  while (*name && *name != '.') {
    const char *dot = strchr(name, '.');
    size_t length = dot ? (size_t)(dot - name) : strlen(name);
    if (length > 63 || at + length > 12 + 254) return 0;
    wire[at++] = (uint8_t)length;
    memcpy(wire + at, name, length);
    at += (int)length;
    name += length;
    if (*name == '.') name++;
  }
  wire[at++] = 0;
  wire[at++] = (uint8_t)(type >> 8);
  wire[at++] = (uint8_t)type;
  wire[at++] = 0;
  wire[at++] = 1;
  return at;
}

void load_queries(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) {
    perror(path);
    exit(2);
  }
  char name[300], type[20];
  uint64_t used = 0, bytes = 1 << 20;
  int capacity = 1024;
  wires = malloc(bytes);
  offsets = malloc((capacity + 1) * sizeof *offsets);
  while (fscanf(file, "%299s %19s", name, type) == 2) {
    if (used + MAX_QUERY > bytes) wires = realloc(wires, bytes *= 2);
    if (query_count == capacity) offsets = realloc(offsets, ((capacity *= 2) + 1) * sizeof *offsets);
    int length = write_query(wires + used, name, type_number(type));
    if (length == 0) {
      fprintf(stderr, "%s: not a name: %s\n", path, name);
      exit(2);
    }
    offsets[query_count++] = used;
    used += (uint64_t)length;
  }
  fclose(file);
  if (query_count == 0) {
    fprintf(stderr, "%s: no queries\n", path);
    exit(2);
  }
  offsets[query_count] = used;
}

int query_length(int ahead) {
  int query = (int)(((uint64_t)next_query + (uint64_t)ahead) % (uint64_t)query_count);
  return (int)(offsets[query + 1] - offsets[query]);
}

int take_query(uint8_t *target, uint16_t id) {
  int length = query_length(0);
  memcpy(target, wires + offsets[next_query], (size_t)length);
  target[0] = (uint8_t)(id >> 8);
  target[1] = (uint8_t)id;
  if (++next_query == query_count) {
    next_query = 0;
    wrapped++;
  }
  return length;
}
