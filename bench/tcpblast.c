/*
 * tcpblast: a closed-loop load generator for DNS over TCP (IPv4).
 *
 * It keeps WINDOW queries in flight on each of CONNECTIONS connections, pipelined: all that a connection has room for
 * leave in one write. Answers may come in any order. A connection that the server closes ends the run with an error.
 *
 *   tcpblast HOST PORT QUERYFILE SECONDS [CONNECTIONS=100] [WINDOW=8] [QUERIES=0]
 *
 * QUERYFILE and QUERIES are as dnsblast has them, and what it prints is in tally.h: nothing is ever lost here.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "queries.h"
#include "tally.h"

#define MAX_CONNECTIONS 1024
#define MAX_WINDOW 64
#define EVENTS 64
#define READ_SIZE (2 + 65535)
#define WAIT_MS 100

struct connection {
  int fd;
  size_t held; /* bytes of a reply that has begun */
  uint64_t sent_at[MAX_WINDOW]; /* by id; 0: not in flight */
  uint8_t reply[READ_SIZE];
};
static struct connection *connections;

static void fail(const char *what) {
  perror(what);
  exit(2);
}

static void open_connections(const char *host, int port, int count, int poll_fd) {
  struct sockaddr_in server = {0};
  int on = 1;
  server.sin_family = AF_INET;
  server.sin_port = htons((uint16_t)port);
  server.sin_addr.s_addr = inet_addr(host);
  connections = calloc((size_t)count, sizeof *connections);
  for (int i = 0; i < count; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
    connections[i].fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connections[i].fd, (void *)&server, sizeof server)) fail("connect");
    setsockopt(connections[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, connections[i].fd, &event);
  }
}

/* Sends as many queries as the window, and QUERIES, have room for. */
static void fill_window(struct connection *connection, int window, uint64_t limit) {
  static uint8_t bytes[MAX_WINDOW * (2 + MAX_QUERY)];
  size_t length = 0;
  uint64_t time = now_ns();
  for (int id = 0; id < window && (!limit || sent < limit); id++) {
    if (connection->sent_at[id]) continue;
    int query = take_query(bytes + length + 2, (uint16_t)id);
    bytes[length] = (uint8_t)(query >> 8);
    bytes[length + 1] = (uint8_t)query;
    length += 2 + (size_t)query;
    connection->sent_at[id] = time;
    sent++;
  }
  for (size_t done = 0; done < length;) {
    ssize_t taken = send(connection->fd, bytes + done, length - done, MSG_NOSIGNAL);
    if (taken < 0) fail("send");
    done += (size_t)taken;
  }
}

static void count_reply(struct connection *connection, const uint8_t *reply, size_t length, uint64_t time) {
  int id = length < REPLY_HEADER ? MAX_WINDOW : reply[0] << 8 | reply[1];
  if (id >= MAX_WINDOW || !(reply[2] & 0x80) || !connection->sent_at[id]) {
    bad++;
    return;
  }
  count_answer(reply, time - connection->sent_at[id]);
  connection->sent_at[id] = 0;
}

/* One read, and all the whole replies that it completed. */
static void read_replies(struct connection *connection) {
  uint8_t *bytes = connection->reply;
  ssize_t received = recv(connection->fd, bytes + connection->held, READ_SIZE - connection->held, 0);
  if (received < 0) fail("recv");
  if (received == 0) {
    fprintf(stderr, "the server closed a connection\n");
    exit(2);
  }
  size_t end = connection->held + (size_t)received, at = 0;
  uint64_t time = now_ns();
  while (end - at >= 2) {
    size_t length = (size_t)(bytes[at] << 8 | bytes[at + 1]);
    if (end - at - 2 < length) break;
    count_reply(connection, bytes + at + 2, length, time);
    at += 2 + length;
  }
  connection->held = end - at;
  memmove(bytes, bytes + at, connection->held);
}

static void run(double seconds, int count, int window, uint64_t limit, int poll_fd) {
  uint64_t start = begin_tally(), end = start + (uint64_t)(seconds * 1e9);
  for (int i = 0; i < count; i++) fill_window(&connections[i], window, limit);
  while (now_ns() < end && (!limit || answered + bad < limit)) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poll_fd, events, EVENTS, WAIT_MS);
    for (int i = 0; i < ready; i++) {
      read_replies(events[i].data.ptr);
      fill_window(events[i].data.ptr, window, limit);
    }
  }
}

int main(int count, char **values) {
  if (count < 5) {
    fprintf(stderr, "usage: tcpblast HOST PORT QUERYFILE SECONDS [CONNECTIONS=100] [WINDOW=8] [QUERIES=0]\n");
    return 2;
  }
  int connection_count = count > 5 ? atoi(values[5]) : 100, window = count > 6 ? atoi(values[6]) : 8;
  if (connection_count > MAX_CONNECTIONS) connection_count = MAX_CONNECTIONS;
  if (window > MAX_WINDOW) window = MAX_WINDOW;
  int poll_fd = epoll_create1(0);
  load_queries(values[3]);
  open_connections(values[1], atoi(values[2]), connection_count, poll_fd);
  run(atof(values[4]), connection_count, window, count > 7 ? strtoull(values[7], NULL, 10) : 0, poll_fd);
  print_tally();
  return 0;
}
