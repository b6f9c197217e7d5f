/**
 * Layouts of Linux's C structures and its numbers, on x64 and arm64, where they are the same: 64 bits, little endian. A test holds them against
 * the C compiler. Offsets are in bytes.
 */

/** Architectures on which the layouts below hold. */
export const LAYOUT_ARCHITECTURES: readonly string[] = ['x64', 'arm64'];

/** struct sockaddr_in (16 B), struct sockaddr_in6 (28 B); both begin with the family and the port, that one big endian. */
export const SOCKADDR_IN_BYTES = 16;
export const SOCKADDR_IN6_BYTES = 28;
export const SOCKADDR_PORT = 2;
export const SOCKADDR_IN_ADDRESS = 4;
export const SOCKADDR_IN6_ADDRESS = 8;
export const SOCKADDR_IN6_SCOPE = 24;

/** struct iovec */
export const IOVEC_BYTES = 16;
export const IOVEC_LENGTH = 8;

/** struct mmsghdr: a struct msghdr, and how long the message is that came. */
export const MSGHDR_BYTES = 56;
export const MMSGHDR_BYTES = 64;
export const MSGHDR_NAME = 0;
export const MSGHDR_NAME_LENGTH = 8;
export const MSGHDR_VECTORS = 16;
export const MSGHDR_VECTOR_COUNT = 24;
export const MSGHDR_CONTROL = 32;
export const MSGHDR_CONTROL_LENGTH = 40;
export const MSGHDR_FLAGS = 48;
export const MMSGHDR_LENGTH = 56;

/** struct cmsghdr, then struct in_pktinfo (interface, source of a reply, destination) or struct in6_pktinfo (address, interface). */
export const CMSGHDR_BYTES = 16;
export const CMSGHDR_LEVEL = 8;
export const CMSGHDR_TYPE = 12;
export const PKTINFO_INTERFACE = 0;
export const PKTINFO6_ADDRESS = 0;
export const PKTINFO6_INTERFACE = 16;
/** With padding: CMSG_SPACE of the two. */
export const PKTINFO_SPACE = 32;
export const PKTINFO6_SPACE = 40;

/** struct sockaddr_un */
export const SOCKADDR_UN_PATH = 2;
export const SOCKADDR_UN_BYTES = 110;

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
/** Who listens at the other end, struct ucred: process, user and group, 32 bits each. */
export const SO_PEERCRED = 17;
export const UCRED_BYTES = 12;
export const UCRED_USER = 4;
export const SO_RCVBUFFORCE = 33;
export const SO_MEMINFO = 55;
/** Index of the datagrams that did not fit, in the 32-bit words of SO_MEMINFO, and how many words there are. */
export const SK_MEMINFO_DROPS = 8;
export const SK_MEMINFO_VARS = 9;
export const IPPROTO_IP = 0;
export const IP_PKTINFO = 8;
/** Level and option of the length that a message is cut into. */
export const SOL_UDP = 17;
export const UDP_SEGMENT = 103;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const EBADF = 9;
export const EAGAIN = 11;
/** Level and type of the control message that passes descriptors. */
export const SCM_RIGHTS = 1;
export const MSG_CTRUNC = 0x08;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_CMSG_CLOEXEC = 0x4000_0000;
export const MFD_CLOEXEC = 1;
export const F_DUPFD_CLOEXEC = 1030;

/** struct timex of adjtimex(2), as far as it is read. */
export const TIMEX_BYTES = 208;
export const TIMEX_MAX_ERROR = 24;
export const TIMEX_STATUS = 40;
/** Status and return value where no time server keeps the clock. */
export const STA_UNSYNC = 0x40;
export const TIME_ERROR = 5;
