import type { Reason } from '../admin/ready-page.ts';
import type { HandOverStatus } from '../admin/status.ts';
import type { Config, SocketAddress } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import type { Logger } from '../core/logger.ts';
import { packageVersion } from '../core/version.ts';
import { registerHandoverMetrics } from '../handover/metrics.ts';
import type { Snapshot } from '../handover/snapshot.ts';
import { Succession } from '../handover/succession.ts';
import type { Listeners } from '../listen/listeners.ts';
import type { Register } from '../metrics/register.ts';
import { type Libc, loadLibc } from '../native/libc.ts';
import { nameFromText, nameToText } from '../wire/name.ts';
import type { DataPlane } from './data-plane.ts';
import type { HttpServers } from './http-servers.ts';
import type { NodePresence } from './node-presence.ts';

export interface HandOverParts {
  readonly dataPlane: DataPlane;
  readonly log: Logger;
  /** Ends the wait behind a newer process. */
  readonly signal?: AbortSignal | undefined;
}

/** What goes to a successor, or stands still while that one serves. */
export interface Estate {
  readonly listeners: Listeners;
  readonly http: HttpServers;
  readonly presence: NodePresence;
  readonly snapshot: Snapshot | undefined;
}

/** All names are below it. */
const ROOT = Uint8Array.of(0);

/** Set by the process that started this one at SIGUSR2; see `Identity.attempt`. */
export const ATTEMPT_VARIABLE = 'SIGNPOST_ATTEMPT';

/** The agent's part in passing sockets and cache from process to process. Without `--state` it does nothing. */
export class HandOver {
  readonly #dataPlane: DataPlane;
  readonly #succession: Succession | undefined;
  readonly libc: Libc | undefined;
  /** Why nobody can take over from this process; undefined: they can, or nobody wanted it. */
  readonly #problem: string | undefined;
  #isLeaving = false;
  /** While this process stood by, the one that serves has dropped something: its snapshot may still have it. */
  #hasForgotten = false;

  static async open(config: Config, { dataPlane, log, signal }: HandOverParts): Promise<HandOver> {
    const { state } = config;
    if (state === undefined) return new HandOver(dataPlane, undefined, undefined);
    const libc = await loadLibc().catch(() => undefined);
    try {
      const succession = await Succession.open({
        state,
        pod: process.env['POD_UID'] || undefined,
        attempt: Number(process.env[ATTEMPT_VARIABLE]) || 0,
        version: packageVersion(),
        libc,
        log,
        loadCache: (fd) => dataPlane.image.load(fd),
        signal,
      });
      return new HandOver(dataPlane, succession, libc);
    } catch (error) {
      const problem = `cannot use the folder ${state} (--state): ${(error as Error).message}`;
      log.warn(
        { state, error: (error as Error).message },
        'serving without hand-over: the folder of --state cannot be used',
      );
      return new HandOver(dataPlane, undefined, libc, problem);
    }
  }

  private constructor(
    dataPlane: DataPlane,
    succession: Succession | undefined,
    libc: Libc | undefined,
    problem?: string,
  ) {
    this.#dataPlane = dataPlane;
    this.#succession = succession;
    this.libc = libc;
    this.#problem = problem;
  }

  /** Calls `open` when it is this process's turn; see `Succession.enter`. */
  enter<T>(open: () => Promise<T>): Promise<T> {
    return this.#succession === undefined ? open() : this.#succession.enter(open);
  }

  /** See `ListenersParts`. */
  readonly adopt = (protocol: 'udp' | 'tcp', address: SocketAddress): number | undefined =>
    this.#succession?.take(nameOf(protocol, address));

  /** See `HttpServersParts`. */
  readonly adoptHttp = (address: SocketAddress): number | undefined => this.#succession?.take(nameOf('http', address));

  /** All is open and read: from now on this process is the one that serves. Rejects where it must not be. */
  async settle(estate: Estate): Promise<void> {
    const { listeners, http, presence, snapshot } = estate;
    await this.#succession?.settle({
      saveCache: (fd, since) => this.#dataPlane.image.save(fd, since === undefined ? {} : { since }),
      sockets: () => {
        const dns = listeners.passedSockets?.map(({ protocol, address, descriptor }) => ({
          name: nameOf(protocol, address),
          descriptor,
        }));
        return dns?.concat(
          http.passedSockets.map(({ address, descriptor }) => ({ name: nameOf('http', address), descriptor })),
        );
      },
      pause: () => {
        presence.standBy();
        snapshot?.pause();
        listeners.pause();
        http.pause();
      },
      resume: async () => {
        await listeners.resume();
        await Promise.all([this.#redirect(estate), http.resume()]);
      },
      forget: (zone) => {
        this.#hasForgotten = this.isStandby;
        this.#dataPlane.flush.flush((zone && nameFromText(zone)) || ROOT, 'hand-over');
      },
      yield: async () => {
        // The other speaks another protocol, but may know the file: else it begins with an empty cache.
        await snapshot?.close();
        presence.standBy();
        const [listen, answer] = await Promise.all([listeners.yield(), http.yield()]);
        return async () => {
          await listen();
          await Promise.all([this.#redirect(estate), answer()]);
        };
      },
    });
  }

  async #redirect({ presence, snapshot }: Estate): Promise<void> {
    if (this.#isLeaving) return;
    snapshot?.start();
    if (this.#hasForgotten) snapshot?.spoil();
    this.#hasForgotten = false;
    await presence.takeBack();
  }

  /** Entries of the cache are being dropped, at and below a zone (an uncompressed name) or wherever. */
  dropped(zone: Uint8Array | undefined): void {
    this.#succession?.dropped(zone && nameToText(zone, 0));
  }

  get isPossible(): boolean {
    return this.#succession !== undefined;
  }

  /** Nothing is redirected here any more. One that stands by ends with that; one that serves may still be taken over from. */
  leave(): void {
    this.#isLeaving = true;
    if (this.isStandby) this.close();
  }

  /** Another process serves, and this one must not touch what is the other's. */
  get isStandby(): boolean {
    return this.#succession?.role === 'standby';
  }

  /** Whether the cache came from a predecessor. */
  get hasInherited(): boolean {
    return (this.#succession?.inherited ?? 0) > 0;
  }

  /** Asks the process of a pod that stands by behind this one whether it lives; undefined: there is none. */
  readonly askStandby = (pod: string): Promise<void> | undefined => this.#succession?.askStandby(pod);

  /** The one that serves while this process stands by. */
  get servingPid(): number | undefined {
    return this.#succession?.incumbent?.pid;
  }

  /** For `/ready`: nothing where no hand-over was asked for. */
  get reasons(): readonly Reason[] {
    if (this.#problem !== undefined) return [{ name: 'hand-over', ok: true, warning: true, message: this.#problem }];
    if (this.#succession === undefined) return [];
    const { role, standbys, hidden } = this.#succession;
    if (hidden !== undefined) {
      const message = `nobody can take over from this process: ${hidden.message}`;
      return [{ name: 'hand-over', ok: true, warning: true, message }];
    }
    const behind = standbys.length === 0 ? '' : `, ${standbys.length} standing by`;
    return [{ name: 'hand-over', ok: true, message: `${role}${behind}` }];
  }

  get report(): HandOverStatus | null {
    const succession = this.#succession;
    if (succession === undefined) return null;
    const { role, self, arrival, standbys } = succession;
    const of = standbys.map(({ other }) => ({ pod: other.pod ?? null, pid: other.pid, generation: other.generation }));
    return { role, generation: self.generation, arrival, standbys: of };
  }

  registerMetrics(register: Register): void {
    if (this.#succession !== undefined) registerHandoverMetrics(register, this.#succession);
  }

  close(): void {
    this.#succession?.close();
  }
}

function nameOf(protocol: string, address: SocketAddress): string {
  return `${protocol} ${formatSocketAddress(address)}`;
}
