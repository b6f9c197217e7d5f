/* Looks names up with c-ares. See lookup.ts for what it reads and writes. */
#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>

static int is_done;

static const char *word(int status) {
  switch (status) {
    case ARES_ENOTFOUND: return "NONAME";
    case ARES_ENODATA: return "NODATA";
    case ARES_ESERVFAIL:
    case ARES_ECONNREFUSED: return "AGAIN";
    case ARES_ETIMEOUT: return "TIMEOUT";
    default: return ares_strerror(status);
  }
}

static void on_addrinfo(void *kind, int status, int timeouts, struct ares_addrinfo *found) {
  (void)kind, (void)timeouts;
  is_done = 1;
  if (status != ARES_SUCCESS) {
    printf("%s\t\t", word(status));
    return;
  }
  const char *canonical = found->name ? found->name : "";
  for (struct ares_addrinfo_cname *at = found->cnames; at; at = at->next) if (at->name) canonical = at->name;
  printf("ok\t%s\t", canonical);
  for (struct ares_addrinfo_node *at = found->nodes; at; at = at->ai_next) {
    char text[INET6_ADDRSTRLEN];
    const void *address = at->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)at->ai_addr)->sin_addr
                                                   : (void *)&((struct sockaddr_in6 *)at->ai_addr)->sin6_addr;
    printf("%s%s", at == found->nodes ? "" : ",", inet_ntop(at->ai_family, address, text, sizeof text));
  }
  ares_freeaddrinfo(found);
}

static void on_host(void *unused, int status, int timeouts, struct hostent *found) {
  (void)unused, (void)timeouts;
  is_done = 1;
  if (status != ARES_SUCCESS) {
    printf("%s\t\t", word(status));
    return;
  }
  printf("ok\t\t");
  for (char **at = found->h_addr_list; *at; at++) {
    char text[INET6_ADDRSTRLEN];
    printf("%s%s", at == found->h_addr_list ? "" : ",", inet_ntop(found->h_addrtype, *at, text, sizeof text));
  }
}

static void on_srv(void *unused, int status, int timeouts, unsigned char *reply, int length) {
  (void)unused, (void)timeouts;
  is_done = 1;
  struct ares_srv_reply *found = NULL;
  if (status == ARES_SUCCESS) status = ares_parse_srv_reply(reply, length, &found);
  printf("%s\t\t", status == ARES_SUCCESS ? "ok" : word(status));
  for (struct ares_srv_reply *at = found; at; at = at->next) printf("%s%s", at == found ? "" : ",", at->host);
  if (found) ares_free_data(found);
}

static void on_mx(void *unused, int status, int timeouts, unsigned char *reply, int length) {
  (void)unused, (void)timeouts;
  is_done = 1;
  struct ares_mx_reply *found = NULL;
  if (status == ARES_SUCCESS) status = ares_parse_mx_reply(reply, length, &found);
  printf("%s\t\t", status == ARES_SUCCESS ? "ok" : word(status));
  for (struct ares_mx_reply *at = found; at; at = at->next) printf("%s%s", at == found ? "" : ",", at->host);
  if (found) ares_free_data(found);
}

static void addresses(ares_channel channel, const char *name, int family) {
  struct ares_addrinfo_hints hints = {.ai_family = family, .ai_flags = ARES_AI_CANONNAME, .ai_socktype = SOCK_STREAM};
  ares_getaddrinfo(channel, name, NULL, &hints, on_addrinfo, NULL);
}

static void wait_for_answer(ares_channel channel) {
  while (!is_done) {
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    int count = ares_fds(channel, &readable, &writable);
    struct timeval most = {1, 0}, left;
    select(count, &readable, &writable, NULL, ares_timeout(channel, &most, &left));
    ares_process(channel, &readable, &writable);
  }
}

int main(void) {
  char line[2048], kind[16], name[1100];
  ares_library_init(ARES_LIB_INIT_ALL);
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%15s %1099s", kind, name) != 2) continue;
    printf("%s\t%s\t", kind, name);
    ares_channel channel;
    is_done = 0;
    if (ares_init(&channel) != ARES_SUCCESS) return 1;
    if (!strcmp(kind, "BOTH")) addresses(channel, name, AF_UNSPEC);
    else if (!strcmp(kind, "A")) addresses(channel, name, AF_INET);
    else if (!strcmp(kind, "AAAA")) addresses(channel, name, AF_INET6);
    else if (!strcmp(kind, "HOST")) ares_gethostbyname(channel, name, AF_INET, on_host, NULL);
    else if (!strcmp(kind, "SRV")) ares_search(channel, name, 1, 33, on_srv, NULL);
    else if (!strcmp(kind, "MX")) ares_search(channel, name, 1, 15, on_mx, NULL);
    else return 1;
    wait_for_answer(channel);
    ares_destroy(channel);
    printf("\n");
  }
  return 0;
}
