# Looks names up with dnspython. See lookup.ts for what it reads and writes.
import sys

import dns.exception
import dns.resolver

resolver = dns.resolver.Resolver()
resolver.lifetime = 10


def text(name):
    return name.to_text(omit_final_dot=True)


def word(error):
    if isinstance(error, dns.resolver.NXDOMAIN):
        return "NONAME"
    if isinstance(error, dns.resolver.NoAnswer):
        return "NODATA"
    if isinstance(error, dns.resolver.NoNameservers):
        return "AGAIN"
    if isinstance(error, dns.exception.Timeout):
        return "TIMEOUT"
    return type(error).__name__


def one(name, kind):
    """Status, canonical name, and what was found."""
    try:
        answer = resolver.resolve(name, kind, search=True)
    except dns.exception.DNSException as error:
        return word(error), "", []
    targets = {"SRV": lambda data: text(data.target), "MX": lambda data: text(data.exchange)}
    return "ok", text(answer.canonical_name), [targets.get(kind, str)(data) for data in answer]


def look_up(name, kind):
    if kind != "BOTH":
        return one(name, "A" if kind == "HOST" else kind)
    both = [one(name, "A"), one(name, "AAAA")]
    good = [result for result in both if result[0] == "ok"]
    if not good:
        return both[0]
    return "ok", good[0][1], [address for result in good for address in result[2]]


for line in sys.stdin:
    kind, name = line.split()
    status, canonical, found = look_up(name, kind)
    print(kind, name, status, canonical, ",".join(found), sep="\t")
