/**
 * Corefiles of the shapes that clusters run: which blocks, plugins and placeholders come together where. Names and addresses are examples.
 */

const CACHE = `cache {
        success 9984 30
        denial 9984 5
    }`;

/** The add-on of Kubernetes itself: all from placeholders. */
const addon = `
__PILLAR__DNS__DOMAIN__:53 {
    errors
    ${CACHE}
    reload
    loop
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
    health __PILLAR__LOCAL__DNS__:8080
    }
in-addr.arpa:53 {
    errors
    cache 30
    reload
    loop
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
    }
ip6.arpa:53 {
    errors
    cache 30
    reload
    loop
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
    }
.:53 {
    errors
    cache 30
    reload
    loop
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__UPSTREAM__SERVERS__
    prometheus :9253
    }
`;

/** An installer that writes addresses: zones of the company first, a policy, hosts, and AAAA kept away. */
const kubespray = `
corp.example:53 lab.example:53 {
    log
    errors
    loadbalance
    cache 5
    reload
    bind 169.254.25.10
    forward . 192.0.2.3 192.0.2.4 {
        policy sequential
        except old.corp.example
    }
    rewrite name exact www.corp.example web.corp.example
}
k8s.example:53 {
    errors
    ${CACHE}
    reload
    loop
    bind 169.254.25.10
    forward . 198.51.100.3 {
        force_tcp
    }
    prometheus 127.0.0.1:9253
    health 169.254.25.10:9254
}
in-addr.arpa:53 ip6.arpa:53 {
    errors
    cache 30
    reload
    loop
    bind 169.254.25.10
    forward . 198.51.100.3 {
        force_tcp
    }
}
.:53 {
    errors
    cache 30
    reload
    loop
    bind 169.254.25.10
    template IN AAAA {
        rcode NXDOMAIN
    }
    hosts {
        192.0.2.80 mirror.example mirror2.example
        2001:db8::80 mirror.example
        fallthrough
    }
    forward . /run/systemd/resolve/resolv.conf
}
`;

/** All that is not the cluster's goes to the cluster DNS as well. */
const kops = `
cluster.local:53 {
    errors
    ${CACHE}
    reload
    loop
    bind 169.254.20.10
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
    health 169.254.20.10:3989
}
.:53 {
    errors
    cache 30
    reload
    loop
    bind 169.254.20.10
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
}
`;

/** Both addresses are bound, and what is common stands in a snippet. */
const rke2 = `
(node-cache) {
    errors
    ${CACHE}
    reload
    loop
    bind 169.254.20.10 203.0.113.10
    prometheus :9253
}
cluster.local:53 {
    import node-cache
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    health 169.254.20.10:8080 {
        lameduck 10s
    }
}
in-addr.arpa:53 ip6.arpa:53 {
    import node-cache
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
}
.:53 {
    import node-cache
    forward . __PILLAR__UPSTREAM__SERVERS__ {
        prefer_udp
        max_concurrent 1000
    }
}
`;

/** A CoreDNS of the cluster, as it is: its own zones are asked of the cluster DNS. */
const eks = `
.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :9153
    forward . 169.254.169.253 {
        prefer_udp
        max_concurrent 1000
        health_check 5s
        expire 20s
    }
    cache 30 {
        prefetch 10 1m 20%
        disable denial cluster.local
    }
    loop
    reload 15s 5s
    loadbalance
}
corp.example:53 {
    bind 169.254.20.10
    forward . tls://192.0.2.3 tls://[2001:db8::3]:8853 {
        tls_servername dns.corp.example
        max_fails 2
    }
    cache 60
}
`;

/** Stale answers, and pieces of the user's own in other files. */
const aks = `
.:53 {
    log
    errors
    bind 169.254.10.10
    import custom/*.override
    template ANY ANY wpad.example {
        rcode REFUSED
    }
    forward . 168.63.129.16 {
        policy round_robin
        max_concurrent 1000
        force_tcp
    }
    cache 3600 {
        success 9984
        denial 9984
        serve_stale 3600s immediate
        servfail 0s
    }
    ready 169.254.10.10:8181
    nsid agent
    prometheus :9253
}
cluster.local:53 {
    errors
    bind 169.254.10.11
    forward . 10.0.0.10 {
        force_tcp
    }
    cache 3600 {
        serve_stale 1h verify 500ms
    }
}
import custom/*.server
`;

export const FILES: Readonly<Record<string, string>> = {
  'custom/a.override':
    'hosts custom/hosts wpad.example db.example {\n 192.0.2.9 db.example\n ttl 60\n fallthrough\n}\n',
  'custom/b.server': 'stub.example:53 {\n bind 169.254.10.10\n forward . 192.0.2.7 # the office\n}\n',
  'custom/hosts': '192.0.2.10 a.db.example\n192.0.2.11 elsewhere.example\n',
  '/etc/resolv.conf': 'nameserver 192.0.2.53\nnameserver 192.0.2.54\n',
  '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.55\n',
};

/** Stub domains beside the placeholders of the add-on, as a ConfigMap in YAML. */
const gke = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: kube-dns
  namespace: kube-system
data:
  stubDomains: |
    {"corp.example": ["192.0.2.3", "192.0.2.4:5353"], "lab.example": ["192.0.2.5"]}
  upstreamNameservers: |
    ["192.0.2.1", "192.0.2.2"]
`;

/** The same file as it comes out of the cluster. */
const inConfigMap = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: node-local-dns
data:
  Corefile: |
${rke2.replace(/^/gm, '    ')}
`;

export const SHAPES: Readonly<Record<string, string>> = { addon, kubespray, kops, rke2, eks, aks };
export const CONFIG_MAPS: Readonly<Record<string, string>> = { gke, inConfigMap };
