/** Writes docs/configuration.md from the schema of the configuration file: `npm run docs`. A test compares the two. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DocumentedKey, documentedKeys } from '../src/config/yaml-schema.ts';
import { ALIASES, HOST_NAMES } from '../src/core/limits.ts';

/** The page as it must be. */
export function configurationPage(): string {
  const keys = documentedKeys();
  const zone = keys.find(({ key }) => key === 'zones')!.keys;
  const top = keys.filter(({ key }) => key !== 'zones');
  const plain = zone.filter(({ text }) => text !== undefined);
  return `${[INTRODUCTION, EXAMPLE, WHO_WINS, table('The agent', top), ZONES, table('A zone', plain), ...zone.filter(({ text }) => text === undefined).map(({ key, keys }) => table(`\`${key}\` of a zone`, keys)), HOSTS, ALIAS_NAMES, VALUES, WRONG].join('\n\n')}\n`;
}

const INTRODUCTION = `<!-- Made by \`npm run docs\` from src/config/yaml-schema.ts. Change it there. -->
# The configuration file

\`signpost serve --config FILE\` takes a YAML file. All of it is optional: what flags say, it can say, and it says what there is no flag for, the settings
of single zones. \`signpost check --config FILE\` reads it as \`serve\` would, asks every upstream once, and prints what comes out. While the agent
runs the file is watched: a change is taken over whole, without a restart, and a file that is wrong changes nothing, is logged once, and shows in \`/ready\`.`;

const EXAMPLE = `## An example

\`\`\`yaml
clusterDns: 10.96.0.10
upstreams: [9.9.9.9, 149.112.112.112]
policy: fastest
cacheSize: 64MiB

zones:
  # The cluster's own names: an answer that has gone wrong is forgotten soon.
  cluster.local:
    cache:
      maxTtl: 10s
      negativeMaxTtl: 2s

  # A company's zone on servers of its own. They are few: bridge an outage for a day.
  corp.example:
    upstreams: [10.1.2.3, tcp://10.1.2.4:5353]
    policy: sequential
    tryTimeout: 500ms
    cache:
      stale: 24h
      keepLastGood: 30s
    hosts:
      - 10.9.0.5 db.corp.example db-old.corp.example
    refuse:
      - ads.corp.example

  # A part of it: its upstreams are asked, and all else is as it is there.
  ipv4only.corp.example:
    aaaa: off

  # Everything else.
  .:
    mixedCase: on
    cache:
      maxTtl: 30m
\`\`\``;

const WHO_WINS = `## Flags and the file

A flag beats the file, key by key: \`--cache-size\` beats \`cacheSize\`, and \`--route corp.example=10.1.2.3\` beats \`zones."corp.example".upstreams\` and leaves
the zone's other settings. A value that is beaten must be right all the same. What neither says is as the tables below tell. Some things
take a restart: [reloading.md](reloading.md#how-it-is-taken-over) names them.`;

const ZONES = `## Zones

\`zones\` maps names of zones to their settings. A name belongs to the zone with the longest suffix. There are always the cluster domain and
the reverse zones \`in-addr.arpa\` and \`ip6.arpa\`, which the cluster DNS is asked for, and \`.\`, which is everything else; naming one of them changes its settings.
Any other name makes a zone:

- with \`upstreams\` it stands on its own, and what is not said of it has the default below;
- without, it is a part of the zone around it: the same upstreams, and every setting that is not said is as it is there, hosts entries, aliases and refused
  names included.

\`.\` is written \`.\` as it stands; names may have a dot at their end. Several zones can share settings with YAML's anchors: \`cache: &short {maxTtl: 5s}\` in one,
\`cache: *short\` or \`cache: {<<: *short, stale: off}\` in others.`;

const HOSTS = `## Hosts entries

\`hosts\` takes lines as in /etc/hosts, or names with their addresses:

\`\`\`yaml
zones:
  corp.example:
    hosts:
      db.corp.example: [10.9.0.5, 'fd00::5']
      www.corp.example: 10.9.0.6
    hostsFile: /etc/signpost/hosts
\`\`\`

A name outside its zone is an error in \`hosts\`, and is passed over in a \`hostsFile\`, since one file may serve many zones. All together may have ${HOST_NAMES.value.toLocaleString('en')} names.`;

const ALIAS_NAMES = `## Aliases

\`aliases\` lets a name lead to another, as CoreDNS's \`rewrite name exact\` does. Often it is an outside name that pods are to reach without leaving the cluster:

\`\`\`yaml
zones:
  .:
    aliases:
      shop.example.com: ingress.edge.svc.cluster.local
\`\`\`

\`\`\`
$ dig +noall +answer @169.254.20.10 shop.example.com
shop.example.com.                30  IN  CNAME  ingress.edge.svc.cluster.local.
ingress.edge.svc.cluster.local.  30  IN  A      10.96.3.7
\`\`\`

It holds for that very name and every type of record; names below it are asked as ever. The other name is asked where its own zone is asked, and where it does not exist, the
answer is that. The answer is kept as long as that of the other name, 30 s at the most. In \`aliases\` a name outside its zone, a name that leads to an alias, and one that has \`hosts\` entries are
errors; lines of a \`hostsFile\` give way. All zones together may have ${ALIASES.value.toLocaleString('en')}.`;

const VALUES = `## Values

Durations are \`250ms\`, \`5s\`, \`10m\`, \`1h30m\` or \`0\`; sizes \`32MiB\`, \`500kB\` or bytes. Where a list is expected, a single value will do. A key without a value is an error,
but for \`zones\`, a zone, \`cache\` and \`tls\`, which are then empty. Quote IPv6 addresses within brackets: \`['fd00::10']\`.`;

const WRONG = `## When it is wrong

Everything that is wrong is said at once, with file, line, key, what came, and what may be:

\`\`\`
signpost.yaml:3: Cannot set cacheSise to 64MiB: there is no such key; did you mean cacheSize?
signpost.yaml:12: Cannot set zones."corp.example".cache.maxTtl to 5y: expected a duration in whole seconds from 0 to 24h, such as 10m
signpost.yaml:14: Cannot set zones."corp.example".upstreams[0] to 169.254.20.10: 169.254.20.10:53 is this agent's own listen address (--listen), so a query would go round for ever
\`\`\`

At start \`serve\` then ends with exit code 2, as \`check\` does. While it runs, the last good configuration stays.`;

function table(title: string, keys: readonly DocumentedKey[]): string {
  const rows = keys.map(({ key, text }) => {
    const { meaning, allowed, example, default: byDefault } = text!;
    return `| \`${key}\` | ${cell(meaning)} | ${cell(byDefault)} | ${cell(allowed)} | \`${key}: ${cell(example)}\` |`;
  });
  return [`### ${title}`, '', '| key | meaning | default | allowed | example |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  );
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, 'configuration.md'), configurationPage());
