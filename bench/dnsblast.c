/*
 * dnsblast: a load generator for DNS over UDP (IPv4).
 *
 * Without RATE it keeps WINDOW queries in flight on each of SOCKETS connected sockets, all sent before the first answer
 * is read; a query without an answer for one second counts as lost and makes room for the next. With RATE it sends so
 * many a second, whatever comes back, from the sockets in turn: evenly spaced, or those of 0.1 ms together where that is more
 * than one.
 *
 *   dnsblast HOST PORT QUERYFILE SECONDS [SOCKETS=8] [WINDOW=64] [QUERIES=0] [RATE=0] [SORTED=0]
 *
 * QUERYFILE is asked from top to bottom, over and over. With QUERIES the run ends when so many were sent and each was
 * answered or lost, or after SECONDS, whichever comes first. What it prints is in tally.h.
 *
 * The server under test, not the generator, is to be measured. So system calls are batched, neighbours of one length leave
 * as one (UDP_SEGMENT: the kernel makes datagrams of them on this side, and the server sees no difference), and of the
 * replies only the header is copied. With SORTED the queries that leave together are put in the order of their lengths:
 * that is cheaper still, but a server that answers neighbours of one length together then gains by it as well.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include "queries.h"
#include "tally.h"

#define BATCH 64 /* the most pieces that every kernel takes for UDP_SEGMENT */
#define MAX_SOCKETS 256
#define IDS 65536
#define LOST_AFTER_NS 1000000000ull
#define LOST_SCAN_NS 250000000ull
#define IDLE_NS 1000000ull
#define STEP_NS 100000ull
#define RECEIVE_BUFFER (4 << 20)

struct lane {
  int fd;
  uint16_t next_id;
  int in_flight;
  uint64_t *sent_at; /* by id; 0: not in flight */
};
static struct lane lanes[MAX_SOCKETS];
static struct pollfd polled[MAX_SOCKETS];
static int lane_count, is_segmenting, is_sorting;

static uint8_t replies[BATCH][REPLY_HEADER], queries[BATCH * MAX_QUERY];
static struct mmsghdr receive_headers[BATCH], send_headers[BATCH];
static struct iovec receive_vectors[BATCH], send_vectors[BATCH];
static union {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(uint16_t))];
} segment_sizes[BATCH];

static void open_lane(struct lane *lane, const struct sockaddr_in *server) {
  int size = RECEIVE_BUFFER, none = 0;
  lane->fd = socket(AF_INET, SOCK_DGRAM, 0);
  setsockopt(lane->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  is_segmenting = !setsockopt(lane->fd, SOL_UDP, UDP_SEGMENT, &none, sizeof none);
  if (connect(lane->fd, (const void *)server, sizeof *server)) {
    perror("connect");
    exit(2);
  }
  lane->sent_at = calloc(IDS, sizeof *lane->sent_at);
}

static void open_lanes(const char *host, int port) {
  struct sockaddr_in server = {0};
  server.sin_family = AF_INET;
  server.sin_port = htons((uint16_t)port);
  server.sin_addr.s_addr = inet_addr(host);
  for (int i = 0; i < lane_count; i++) {
    open_lane(&lanes[i], &server);
    polled[i] = (struct pollfd){.fd = lanes[i].fd, .events = POLLIN};
  }
  for (int i = 0; i < BATCH; i++) {
    receive_vectors[i] = (struct iovec){.iov_base = replies[i], .iov_len = REPLY_HEADER};
    receive_headers[i].msg_hdr.msg_iov = &receive_vectors[i];
    receive_headers[i].msg_hdr.msg_iovlen = 1;
    send_headers[i].msg_hdr.msg_iov = &send_vectors[i];
    send_headers[i].msg_hdr.msg_iovlen = 1;
    send_headers[i].msg_hdr.msg_control = &segment_sizes[i];
    segment_sizes[i].header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(uint16_t)), .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT};
  }
}

static void point_header(int index, uint8_t *bytes, int length, int pieces) {
  send_vectors[index] = (struct iovec){.iov_base = bytes, .iov_len = (size_t)(length * pieces)};
  send_headers[index].msg_hdr.msg_controllen = pieces > 1 ? sizeof segment_sizes[index] : 0;
  *(uint16_t *)CMSG_DATA(&segment_sizes[index].header) = (uint16_t)length;
}

/* Puts `lengths` in rising order; sets where in `queries` the first query of each length belongs. */
static void sort_lengths(int *lengths, int count, int *places) {
  int counts[MAX_QUERY] = {0}, shortest = MAX_QUERY, longest = 0, index = 0, at = 0;
  for (int i = 0; i < count; i++) {
    counts[lengths[i]]++;
    if (lengths[i] < shortest) shortest = lengths[i];
    if (lengths[i] > longest) longest = lengths[i];
  }
  for (int length = shortest; length <= longest; length++) {
    places[length] = at;
    at += length * counts[length];
    for (int left = counts[length]; left > 0; left--) lengths[index++] = length;
  }
}

static void take_queries(struct lane *lane, int count, int *places, uint64_t time) {
  for (int i = 0, at = 0; i < count; i++) {
    uint16_t id = lane->next_id++;
    int *place = is_sorting ? &places[query_length(0)] : &at;
    *place += take_query(queries + *place, id);
    if (lane->sent_at[id]) { /* still open from 65,536 queries ago */
      lane->in_flight--;
      lost++;
    }
    lane->sent_at[id] = time;
  }
}

/* Lays out the next `count` queries side by side; returns how many headers point at them, one for each run of one length. */
static int gather_queries(struct lane *lane, int count, uint64_t time) {
  int lengths[BATCH], places[MAX_QUERY], headers = 0, at = 0;
  for (int i = 0; i < count; i++) lengths[i] = query_length(i);
  if (is_sorting) sort_lengths(lengths, count, places);
  take_queries(lane, count, places, time);
  for (int i = 0, pieces; i < count; i += pieces) {
    for (pieces = 1; is_segmenting && i + pieces < count && lengths[i + pieces] == lengths[i];) pieces++;
    point_header(headers++, queries + at, lengths[i], pieces);
    at += lengths[i] * pieces;
  }
  return headers;
}

/* Sends `count` queries, at most BATCH. What the kernel refuses counts as sent, and is lost. */
static void send_batch(struct lane *lane, int count) {
  int headers = gather_queries(lane, count, now_ns());
  for (int done = 0; done < headers;) {
    int taken = sendmmsg(lane->fd, send_headers + done, (unsigned)(headers - done), 0);
    if (taken > 0) done += taken;
    else if (errno != EINTR) done++;
  }
  lane->in_flight += count;
  sent += (uint64_t)count;
}

/* Receives one batch; returns how many messages it had. */
static int receive_batch(struct lane *lane) {
  if (!lane->in_flight) return 0;
  int count = recvmmsg(lane->fd, receive_headers, BATCH, MSG_DONTWAIT, NULL);
  if (count <= 0) return 0;
  uint64_t time = now_ns();
  for (int i = 0; i < count; i++) {
    uint8_t *reply = replies[i];
    int id = reply[0] << 8 | reply[1];
    if (receive_headers[i].msg_len < REPLY_HEADER || !(reply[2] & 0x80) || !lane->sent_at[id]) {
      bad++;
      continue;
    }
    count_answer(reply, time - lane->sent_at[id]);
    lane->sent_at[id] = 0;
    lane->in_flight--;
  }
  return count;
}

/* Fills the windows of all lanes; returns how many queries that took. */
static int send_windows(int window, uint64_t limit) {
  uint64_t before = sent;
  for (int i = 0; i < lane_count; i++) {
    int room;
    while ((room = window - lanes[i].in_flight) > 0) {
      int count = room < BATCH ? room : BATCH;
      if (limit && limit - sent < (uint64_t)count) count = (int)(limit - sent);
      if (count == 0) break;
      send_batch(&lanes[i], count);
    }
  }
  return (int)(sent - before);
}

/* Sends what is due `elapsed` after the start; returns how many queries that were. */
static int send_due(uint64_t elapsed, double interval_ns, uint64_t limit) {
  static int lane;
  uint64_t due = (uint64_t)((double)elapsed / interval_ns) + 1;
  if (limit && due > limit) due = limit;
  if (due <= sent) return 0;
  int count = due - sent < BATCH ? (int)(due - sent) : BATCH;
  send_batch(&lanes[lane], count);
  lane = (lane + 1) % lane_count;
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

static int is_done(uint64_t limit) {
  if (!limit || sent < limit) return 0;
  for (int i = 0; i < lane_count; i++)
    if (lanes[i].in_flight) return 0;
  return 1;
}

/* A paced run's clock is the measurement: it wakes to the microsecond, and before others on its core where it may. */
static void hurry(void) {
  struct sched_param priority = {.sched_priority = 1};
  prctl(PR_SET_TIMERSLACK, 1000ul, 0, 0, 0);
  sched_setscheduler(0, SCHED_FIFO, &priority);
}

/* Leaves the core to others until the next step: before others as it goes, it would take all of it. */
static uint64_t await_step(uint64_t time, uint64_t start) {
  struct timespec pause = {.tv_nsec = (long)(STEP_NS - (time - start) % STEP_NS)};
  nanosleep(&pause, NULL);
  return now_ns();
}

static void run(double seconds, int window, uint64_t limit, double rate) {
  double interval_ns = rate > 0 ? 1e9 / rate : 0;
  if (rate > 0) hurry();
  uint64_t start = begin_tally(), end = start + (uint64_t)(seconds * 1e9), time = start, last_scan = start;
  while (time < end && !is_done(limit)) {
    int moved = rate > 0 ? send_due(time - start, interval_ns, limit) : send_windows(window, limit);
    for (int i = 0; i < lane_count; i++) moved += receive_batch(&lanes[i]);
    time = now_ns();
    if (interval_ns > 0 && interval_ns < STEP_NS) {
      time = await_step(time, start);
    } else if (moved == 0) {
      uint64_t until = time + IDLE_NS, due = start + (uint64_t)((double)sent * interval_ns);
      if (rate > 0 && due < until) until = due > time ? due : time;
      struct timespec timeout = {.tv_nsec = (long)(until - time)};
      ppoll(polled, (nfds_t)lane_count, &timeout, NULL);
      time = now_ns();
    }
    if (time - last_scan > LOST_SCAN_NS) {
      last_scan = time;
      count_lost(time);
    }
  }
}

int main(int count, char **values) {
  if (count < 5) {
    fprintf(stderr, "usage: dnsblast HOST PORT QUERYFILE SECONDS [SOCKETS=8] [WINDOW=64] [QUERIES=0] [RATE=0] "
                    "[SORTED=0]\n");
    return 2;
  }
  load_queries(values[3]);
  is_sorting = count > 9 && atoi(values[9]);
  lane_count = count > 5 ? atoi(values[5]) : 8;
  if (lane_count > MAX_SOCKETS) lane_count = MAX_SOCKETS;
  open_lanes(values[1], atoi(values[2]));
  run(atof(values[4]), count > 6 ? atoi(values[6]) : 64, count > 7 ? strtoull(values[7], NULL, 10) : 0,
      count > 8 ? atof(values[8]) : 0);
  print_tally();
  return 0;
}
