/** Octets of a message's header (RFC 1035, section 4.1.1). */
export const HEADER_LENGTH = 12;
/** The longest name on the wire, length octets and root included (RFC 1035, section 2.3.4). */
export const MAX_NAME_LENGTH = 255;
export const MAX_LABEL_LENGTH = 63;
/** The longest message: TCP's length field has 16 bits. */
export const MAX_MESSAGE_LENGTH = 65_535;

/** Header octets 2 and 3 as one 16-bit number. */
export const FLAG_QR = 0x8000;
export const FLAG_AA = 0x0400;
export const FLAG_TC = 0x0200;
export const FLAG_RD = 0x0100;
export const FLAG_RA = 0x0080;
export const FLAG_AD = 0x0020;
export const FLAG_CD = 0x0010;
export const OPCODE_MASK = 0x7800;
export const RCODE_MASK = 0x000f;

export const OPCODE_QUERY = 0;
export const OPCODE_NOTIFY = 4;
export const OPCODE_UPDATE = 5;

export const RCODE_NOERROR = 0;
export const RCODE_FORMERR = 1;
export const RCODE_SERVFAIL = 2;
export const RCODE_NXDOMAIN = 3;
export const RCODE_NOTIMP = 4;
export const RCODE_REFUSED = 5;
export const RCODE_NOTAUTH = 9;
export const RCODE_BADVERS = 16;
export const RCODE_BADCOOKIE = 23;

export const CLASS_IN = 1;
export const CLASS_CH = 3;
export const CLASS_ANY = 255;

export const TYPE_A = 1;
export const TYPE_NS = 2;
export const TYPE_MD = 3;
export const TYPE_MF = 4;
export const TYPE_CNAME = 5;
export const TYPE_SOA = 6;
export const TYPE_MB = 7;
export const TYPE_MG = 8;
export const TYPE_MR = 9;
export const TYPE_PTR = 12;
export const TYPE_HINFO = 13;
export const TYPE_MINFO = 14;
export const TYPE_MX = 15;
export const TYPE_TXT = 16;
export const TYPE_RP = 17;
export const TYPE_AFSDB = 18;
export const TYPE_RT = 21;
export const TYPE_SIG = 24;
export const TYPE_PX = 26;
export const TYPE_AAAA = 28;
export const TYPE_NXT = 30;
export const TYPE_SRV = 33;
export const TYPE_NAPTR = 35;
export const TYPE_KX = 36;
export const TYPE_DNAME = 39;
export const TYPE_OPT = 41;
export const TYPE_DS = 43;
export const TYPE_RRSIG = 46;
export const TYPE_NSEC = 47;
export const TYPE_NSEC3 = 50;
export const TYPE_SVCB = 64;
export const TYPE_HTTPS = 65;
export const TYPE_TKEY = 249;
export const TYPE_TSIG = 250;
export const TYPE_IXFR = 251;
export const TYPE_AXFR = 252;
export const TYPE_MAILA = 254;
export const TYPE_ANY = 255;

/** EDNS options (RFC 7873, 7828, 8914). */
export const OPTION_COOKIE = 10;
export const OPTION_KEEPALIVE = 11;
export const OPTION_EDE = 15;
/** Ours, of the range for local use (RFC 6891, section 9): asks where an answer came from, and says it. */
export const OPTION_ORIGIN = 65_023;

/** Info-codes of extended DNS errors (RFC 8914, section 4). */
export const EDE_STALE_ANSWER = 3;
export const EDE_BLOCKED = 15;
export const EDE_STALE_NXDOMAIN = 19;
export const EDE_NO_REACHABLE_AUTHORITY = 22;
export const EDE_NETWORK_ERROR = 23;
