import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as layout from '../../../src/native/struct-layout.ts';
import { skipWithout } from '../../servers/programs.ts';

/** What C calls each of our numbers. */
const IN_C: Readonly<Record<string, string>> = {
  SOCKADDR_IN_BYTES: 'sizeof(struct sockaddr_in)',
  SOCKADDR_IN6_BYTES: 'sizeof(struct sockaddr_in6)',
  SOCKADDR_PORT: 'offsetof(struct sockaddr_in6, sin6_port)',
  SOCKADDR_IN_ADDRESS: 'offsetof(struct sockaddr_in, sin_addr)',
  SOCKADDR_IN6_ADDRESS: 'offsetof(struct sockaddr_in6, sin6_addr)',
  SOCKADDR_IN6_SCOPE: 'offsetof(struct sockaddr_in6, sin6_scope_id)',
  IOVEC_BYTES: 'sizeof(struct iovec)',
  IOVEC_LENGTH: 'offsetof(struct iovec, iov_len)',
  MSGHDR_BYTES: 'sizeof(struct msghdr)',
  UCRED_BYTES: 'sizeof(struct ucred)',
  UCRED_USER: 'offsetof(struct ucred, uid)',
  SOCKADDR_UN_PATH: 'offsetof(struct sockaddr_un, sun_path)',
  SOCKADDR_UN_BYTES: 'sizeof(struct sockaddr_un)',
  MMSGHDR_BYTES: 'sizeof(struct mmsghdr)',
  MMSGHDR_LENGTH: 'offsetof(struct mmsghdr, msg_len)',
  MSGHDR_NAME: 'offsetof(struct msghdr, msg_name)',
  MSGHDR_NAME_LENGTH: 'offsetof(struct msghdr, msg_namelen)',
  MSGHDR_VECTORS: 'offsetof(struct msghdr, msg_iov)',
  MSGHDR_VECTOR_COUNT: 'offsetof(struct msghdr, msg_iovlen)',
  MSGHDR_CONTROL: 'offsetof(struct msghdr, msg_control)',
  MSGHDR_CONTROL_LENGTH: 'offsetof(struct msghdr, msg_controllen)',
  MSGHDR_FLAGS: 'offsetof(struct msghdr, msg_flags)',
  CMSGHDR_BYTES: 'CMSG_LEN(0)',
  CMSGHDR_LEVEL: 'offsetof(struct cmsghdr, cmsg_level)',
  CMSGHDR_TYPE: 'offsetof(struct cmsghdr, cmsg_type)',
  PKTINFO_INTERFACE: 'offsetof(struct in_pktinfo, ipi_ifindex)',
  PKTINFO6_ADDRESS: 'offsetof(struct in6_pktinfo, ipi6_addr)',
  PKTINFO6_INTERFACE: 'offsetof(struct in6_pktinfo, ipi6_ifindex)',
  PKTINFO_SPACE: 'CMSG_SPACE(sizeof(struct in_pktinfo))',
  PKTINFO6_SPACE: 'CMSG_SPACE(sizeof(struct in6_pktinfo))',
  TIMEX_BYTES: 'sizeof(struct timex)',
  TIMEX_MAX_ERROR: 'offsetof(struct timex, maxerror)',
  TIMEX_STATUS: 'offsetof(struct timex, status)',
};

/** linux/sock_diag.h has these, and asm/socket.h the option. */
const HEADERS = [
  'stddef.h',
  'stdio.h',
  'errno.h',
  'sys/socket.h',
  'netinet/in.h',
  'netinet/udp.h',
  'sys/uio.h',
  'sys/un.h',
  'sys/mman.h',
  'sys/timex.h',
  'fcntl.h',
  'linux/sock_diag.h',
];

test('layouts and numbers are those of the C compiler', {
  skip: process.platform !== 'linux' || skipWithout('cc'),
}, () => {
  const ours = Object.entries(layout).filter(([, value]) => typeof value === 'number');
  const lines = ours.map(([name]) => `  printf("${name} %ld\\n", (long)(${IN_C[name] ?? name}));`);
  const source = [
    '#define _GNU_SOURCE',
    ...HEADERS.map((header) => `#include <${header}>`),
    'int main(void) {',
    ...lines,
    '}',
  ];
  const folder = mkdtempSync(join(tmpdir(), 'signpost-layout-'));
  try {
    writeFileSync(join(folder, 'layout.c'), source.join('\n'));
    execFileSync('cc', ['-o', join(folder, 'layout'), join(folder, 'layout.c')]);
    const said = execFileSync(join(folder, 'layout'), { encoding: 'utf8' }).trim().split('\n');
    assert.deepEqual(
      ours.map(([name, value]) => `${name} ${value}`),
      said,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('error numbers are those that node knows', { skip: process.platform !== 'linux' }, () => {
  assert.equal(layout.EAGAIN, constants.errno.EAGAIN);
  assert.equal(layout.EBADF, constants.errno.EBADF);
});
