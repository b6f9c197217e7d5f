/*
 * dnsblast: a closed-loop load generator for DNS over UDP (IPv4).
 *
 * It keeps WINDOW queries in flight on each of SOCKETS connected sockets and batches its system calls, so that the
 * server under test, not the generator, is what is measured. A query without an answer for one second counts as lost
 * and makes room for the next.
 *
 *   dnsblast HOST PORT QUERYFILE SECONDS [SOCKETS=8] [WINDOW=64] [QUERIES=0]
 *
 * QUERYFILE has a `name TYPE` a line, as dnsperf reads it, and is asked from top to bottom, over and over. With QUERIES
 * the run ends when so many were sent and each was answered or lost, or after SECONDS, whichever comes first.
 *
 * Prints one line: qps; counts of answered, lost, bad (no response, unknown or late id) and of the rcodes; how often the
 * end of the file was reached (wrapped); percentiles of the time between send and receive in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64
#define MAX_SOCKETS 64
#define MAX_QUERY 288
#define MAX_REPLY 4096
#define IDS 65536
#define BUCKETS 200000 /* of 1 us; the last one takes all that is slower */
#define LOST_AFTER_NS 1000000000ull
#define LOST_SCAN_NS 250000000ull
#define RECEIVE_BUFFER (4 << 20)

/* All queries in wire form, one after the other, so that two million of them need 100 MB and not 600. */
static uint8_t *wires;
static uint64_t *offsets; /* query i lies in [offsets[i], offsets[i + 1]) */
static int query_count;

struct lane {
  int fd;
  uint16_t next_id;
  int in_flight;
  uint64_t *sent_at; /* by id; 0: not in flight */
};
static struct lane lanes[MAX_SOCKETS];
static int lane_count;

static uint8_t replies[BATCH][MAX_REPLY], queries[BATCH][MAX_QUERY];
static struct mmsghdr receive_headers[BATCH], send_headers[BATCH];
static struct iovec receive_vectors[BATCH], send_vectors[BATCH];

static uint32_t histogram[BUCKETS];
static uint64_t sent, answered, lost, bad, wrapped, rcodes[16];
static int next_query;

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

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

static void load_queries(const char *path) {
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

static void open_lanes(const char *host, int port) {
  struct sockaddr_in server = {0};
  server.sin_family = AF_INET;
  server.sin_port = htons((uint16_t)port);
  server.sin_addr.s_addr = inet_addr(host);
  for (int i = 0; i < lane_count; i++) {
    int size = RECEIVE_BUFFER;
    lanes[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    setsockopt(lanes[i].fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    if (connect(lanes[i].fd, (void *)&server, sizeof server)) {
      perror("connect");
      exit(2);
    }
    lanes[i].sent_at = calloc(IDS, sizeof *lanes[i].sent_at);
  }
  for (int i = 0; i < BATCH; i++) {
    receive_vectors[i].iov_base = replies[i];
    receive_vectors[i].iov_len = MAX_REPLY;
    receive_headers[i].msg_hdr.msg_iov = &receive_vectors[i];
    receive_headers[i].msg_hdr.msg_iovlen = 1;
    send_vectors[i].iov_base = queries[i];
    send_headers[i].msg_hdr.msg_iov = &send_vectors[i];
    send_headers[i].msg_hdr.msg_iovlen = 1;
  }
}

/* Sends up to `count` queries in one call; returns how many the kernel took. */
static int send_batch(struct lane *lane, int count, uint64_t time) {
  int query = next_query;
  for (int i = 0; i < count; i++) {
    uint64_t length = offsets[query + 1] - offsets[query];
    uint16_t id = (uint16_t)(lane->next_id + i);
    memcpy(queries[i], wires + offsets[query], length);
    queries[i][0] = (uint8_t)(id >> 8);
    queries[i][1] = (uint8_t)id;
    send_vectors[i].iov_len = length;
    if (++query == query_count) query = 0;
  }
  int taken = sendmmsg(lane->fd, send_headers, (unsigned)count, 0);
  if (taken < 0) taken = 0;
  for (int i = 0; i < taken; i++) {
    uint16_t id = lane->next_id++;
    if (lane->sent_at[id]) { /* still open from 65,536 queries ago */
      lane->in_flight--;
      lost++;
    }
    lane->sent_at[id] = time;
  }
  lane->in_flight += taken;
  sent += (uint64_t)taken;
  next_query += taken;
  if (next_query >= query_count) {
    next_query -= query_count;
    wrapped++;
  }
  return taken;
}

/* Receives one batch; returns how many messages it had. */
static int receive_batch(struct lane *lane) {
  int count = recvmmsg(lane->fd, receive_headers, BATCH, MSG_DONTWAIT, NULL);
  if (count <= 0) return 0;
  uint64_t time = now_ns();
  for (int i = 0; i < count; i++) {
    uint8_t *reply = replies[i];
    int id = reply[0] << 8 | reply[1];
    if (receive_headers[i].msg_len < 12 || !(reply[2] & 0x80) || !lane->sent_at[id]) {
      bad++;
      continue;
    }
    uint64_t microseconds = (time - lane->sent_at[id]) / 1000;
    histogram[microseconds < BUCKETS - 1 ? microseconds : BUCKETS - 1]++;
    rcodes[reply[3] & 15]++;
    lane->sent_at[id] = 0;
    lane->in_flight--;
    answered++;
  }
  return count;
}

static void count_lost(uint64_t time) {
  for (int i = 0; i < lane_count; i++) {
    if (!lanes[i].in_flight) continue;
    for (int id = 0; id < IDS; id++) {
      if (!lanes[i].sent_at[id] || time - lanes[i].sent_at[id] <= LOST_AFTER_NS) continue;
      lanes[i].sent_at[id] = 0;
      lanes[i].in_flight--;
      lost++;
    }
  }
}

static void wait_for_replies(void) {
  struct pollfd polled[MAX_SOCKETS];
  for (int i = 0; i < lane_count; i++) polled[i] = (struct pollfd){.fd = lanes[i].fd, .events = POLLIN};
  poll(polled, (nfds_t)lane_count, 1);
}

static int is_done(uint64_t limit) {
  if (!limit || sent < limit) return 0;
  for (int i = 0; i < lane_count; i++)
    if (lanes[i].in_flight) return 0;
  return 1;
}

/* Returns the seconds it took. */
static double run(double seconds, int window, uint64_t limit) {
  uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), time = start, last_scan = start;
  while (time < end && !is_done(limit)) {
    int idle = 1;
    for (int i = 0; i < lane_count; i++) {
      int room;
      while ((room = window - lanes[i].in_flight) > 0) {
        int count = room < BATCH ? room : BATCH;
        if (limit && limit - sent < (uint64_t)count) count = (int)(limit - sent);
        if (count == 0 || send_batch(&lanes[i], count, time) < count) break;
        idle = 0;
      }
      if (receive_batch(&lanes[i]) > 0) idle = 0;
    }
    if (idle) wait_for_replies();
    time = now_ns();
    if (time - last_scan > LOST_SCAN_NS) {
      last_scan = time;
      count_lost(time);
    }
  }
  return (double)(time - start) / 1e9;
}

static void report(double seconds) {
  static const double percentiles[] = {.5, .9, .99, .999};
  uint64_t below = 0;
  int at = 0;
  printf("qps %.0f answered %lu lost %lu bad %lu noerror %lu nxdomain %lu servfail %lu refused %lu wrapped %lu latency_us",
         (double)answered / seconds, answered, lost, bad, rcodes[0], rcodes[3], rcodes[2], rcodes[5], wrapped);
  for (int i = 0; i < BUCKETS && at < 4; i++) {
    below += histogram[i];
    for (; answered && at < 4 && (double)below >= percentiles[at] * (double)answered; at++) printf(" p%g=%d", percentiles[at] * 100, i);
  }
  printf("\n");
}

int main(int count, char **values) {
  if (count < 5) {
    fprintf(stderr, "usage: dnsblast HOST PORT QUERYFILE SECONDS [SOCKETS=8] [WINDOW=64] [QUERIES=0]\n");
    return 2;
  }
  load_queries(values[3]);
  lane_count = count > 5 ? atoi(values[5]) : 8;
  if (lane_count > MAX_SOCKETS) lane_count = MAX_SOCKETS;
  open_lanes(values[1], atoi(values[2]));
  report(run(atof(values[4]), count > 6 ? atoi(values[6]) : 64, count > 7 ? strtoull(values[7], NULL, 10) : 0));
  return 0;
}
