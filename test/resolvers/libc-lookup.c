/* Looks names up as programs do that use libc: built against glibc and against musl. See lookup.ts for what it reads and writes. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char *gai_word(int code) {
  switch (code) {
    case EAI_NONAME: return "NONAME";
#ifdef EAI_NODATA
    case EAI_NODATA: return "NODATA";
#endif
    case EAI_AGAIN: return "AGAIN";
    case EAI_FAIL: return "FAIL";
    default: return gai_strerror(code);
  }
}

static const char *host_word(int code) {
  switch (code) {
    case HOST_NOT_FOUND: return "NONAME";
    case NO_DATA: return "NODATA";
    case TRY_AGAIN: return "AGAIN";
    default: return "FAIL";
  }
}

static void by_addrinfo(const char *name, int family) {
  struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME}, *found;
  int code = getaddrinfo(name, NULL, &hints, &found);
  if (code != 0) {
    printf("%s\t\t", gai_word(code));
    return;
  }
  printf("ok\t%s\t", found->ai_canonname ? found->ai_canonname : "");
  for (struct addrinfo *at = found; at; at = at->ai_next) {
    char text[INET6_ADDRSTRLEN];
    const void *address = at->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)at->ai_addr)->sin_addr
                                                   : (void *)&((struct sockaddr_in6 *)at->ai_addr)->sin6_addr;
    printf("%s%s", at == found ? "" : ",", inet_ntop(at->ai_family, address, text, sizeof text));
  }
  freeaddrinfo(found);
}

static void by_hostent(const char *name, int family) {
  struct hostent *found = gethostbyname2(name, family);
  if (!found) {
    printf("%s\t\t", host_word(h_errno));
    return;
  }
  printf("ok\t%s\t", found->h_name);
  for (char **at = found->h_addr_list; *at; at++) {
    char text[INET6_ADDRSTRLEN];
    printf("%s%s", at == found->h_addr_list ? "" : ",", inet_ntop(family, *at, text, sizeof text));
  }
}

/* Targets of SRV and MX records, which stand after `offset` bytes of their data. */
static void by_search(const char *name, int type, int offset) {
  static unsigned char reply[65535];
  int length = res_search(name, ns_c_in, type, reply, sizeof reply);
  ns_msg message;
  if (length < 0 || ns_initparse(reply, length, &message) != 0) {
    printf("%s\t\t", length < 0 ? host_word(h_errno) : "FAIL");
    return;
  }
  printf("ok\t\t");
  for (int at = 0, count = 0; at < ns_msg_count(message, ns_s_an); at++) {
    ns_rr record;
    char target[NS_MAXDNAME];
    if (ns_parserr(&message, ns_s_an, at, &record) != 0 || ns_rr_type(record) != type) continue;
    if (dn_expand(reply, reply + length, ns_rr_rdata(record) + offset, target, sizeof target) < 0) continue;
    printf("%s%s", count++ ? "," : "", target);
  }
}

int main(void) {
  char line[2048], kind[16], name[1100];
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%15s %1099s", kind, name) != 2) continue;
    printf("%s\t%s\t", kind, name);
    if (!strcmp(kind, "BOTH")) by_addrinfo(name, AF_UNSPEC);
    else if (!strcmp(kind, "A")) by_addrinfo(name, AF_INET);
    else if (!strcmp(kind, "AAAA")) by_addrinfo(name, AF_INET6);
    else if (!strcmp(kind, "HOST")) by_hostent(name, AF_INET);
    else if (!strcmp(kind, "SRV")) by_search(name, ns_t_srv, 6);
    else if (!strcmp(kind, "MX")) by_search(name, ns_t_mx, 2);
    else printf("UNKNOWN\t\t");
    printf("\n");
  }
  return 0;
}
