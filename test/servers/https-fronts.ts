import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, exchangeTcp, type Server } from '../client/ask.ts';
import type { ServerIdentity } from './certificate-authority.ts';
import { Child } from './child.ts';
import { startCoreDns } from './coredns.ts';
import { freePort } from './free-port.ts';
import { program } from './programs.ts';

/** A server of DNS over HTTPS that fetches its answers from another one. */
export interface HttpsFront {
  readonly httpsPort: number;
  stop(): Promise<void>;
}

export type StartFront = (identity: ServerIdentity, backend: Server) => Promise<HttpsFront>;

/** A zone of the backend whose answer tells that a front reaches it. */
const READY = { name: 'one.example.test', type: 'A', limitMs: 500 };

/** CoreDNS: the HTTP/2 of Go. */
export const startCoreDnsFront: StartFront = async ({ cert, key }, { host, port }) => {
  const httpsPort = await freePort();
  const forward = `  bufsize 4096\n  forward . ${host}:${port} {\n    force_tcp\n  }\n`;
  const { stop } = await startCoreDns({
    corefile: (plainPort) =>
      `.:${plainPort} {\n  bind 127.0.0.1\n${forward}}\nhttps://.:${httpsPort} {\n  bind 127.0.0.1\n  tls cert key\n${forward}}\n`,
    readyName: READY.name,
    files: { cert, key },
  });
  return { httpsPort, stop };
};

/** dnsdist 1.7, as Debian builds it: the HTTP/2 of h2o. */
export const startDnsdist: StartFront = async ({ cert, key }, { host, port }) => {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-dnsdist-'));
  const [plainPort, httpsPort] = [await freePort(), await freePort()];
  const conf = `setLocal("127.0.0.1:${plainPort}")
addDOHLocal("127.0.0.1:${httpsPort}", "${folder}/cert", "${folder}/key", "/dns-query")
newServer({address="${host}:${port}", tcpOnly=true, healthCheckMode="up"})
setSecurityPollSuffix("")
`;
  for (const [name, text] of Object.entries({ cert, key, conf })) await writeFile(join(folder, name), text);
  const child = new Child(program('dnsdist'), ['--supervised', '--disable-syslog', '-C', join(folder, 'conf')]);
  await child.waitUntil('answering', () => isAnswering({ host: '127.0.0.1', port: plainPort }));
  return {
    httpsPort,
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

function isAnswering(server: Server): Promise<boolean> {
  return ask(server, READY).then(
    ({ rcode }) => rcode === 0,
    () => false,
  );
}

/** The HTTP/2 of Node, with nghttp2. */
export const startNodeFront: StartFront = async (identity, backend) => {
  const server: Http2SecureServer = createSecureServer({ ...identity });
  server.on('sessionError', () => {});
  server.on('stream', async (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    for await (const chunk of stream) chunks.push(chunk);
    const message = await exchangeTcp(backend, Buffer.concat(chunks));
    // Who was answered on another connection wants this no more.
    if (stream.destroyed) return;
    stream.respond({ ':status': 200, 'content-type': 'application/dns-message', 'content-length': message.length });
    stream.end(message);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    httpsPort: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      await once(server, 'close');
    },
  };
};
