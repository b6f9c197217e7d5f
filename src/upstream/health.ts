import type { Logger } from '../core/logger.ts';
import { Timer, type TimerWheel } from '../core/timer-wheel.ts';

/** Failures in a row that make an upstream down: CoreDNS's number. */
const DOWN_AFTER = 3;

/**
 * Probes come after 250 ms, 500 ms more, and then every second, whether the ones before were answered with a refusal or with silence. The first two come a
 * quarter sooner or later, for many nodes ask the same server, and stay apart from then on. A second is the bound of the back-off: an upstream that
 * returns is to be asked within one.
 */
const FIRST_PROBE_MS = 250;
const LAST_PROBE_MS = 1000;

export interface HealthParts {
  name: string;
  wheel: TimerWheel;
  log: Logger;
  /** 0 to 1. */
  random: () => number;
  /** Sends one; what comes of it is told through `succeeded`, or through `failed` (unless that was told already) and `probeFailed`. */
  probe: () => void;
}

/**
 * Whether an upstream is to be asked, learnt from its traffic. Only one that failed is probed; a reply of any kind brings it back.
 *
 *   up ──failure──▶ doubtful (probed) ──3rd in a row──▶ down (probed, asked by no client while another lives)
 *    ▲                    │                               │
 *    └────────reply───────┴───────────reply───────────────┘
 */
export class Health extends Timer {
  readonly #parts: HealthParts;
  #failures = 0;
  #probes = 0;
  #isStopped = false;
  isDown = false;
  /** Read by the metrics. */
  probeFailures = 0;
  totalFailures = 0;
  /** For people: what was wrong the last time, and when, in milliseconds since 1970. */
  lastError: string | undefined = undefined;
  lastErrorAtMs = 0;

  constructor(parts: HealthParts) {
    super();
    this.#parts = parts;
  }

  /** It has failed since its last reply. */
  get isDoubtful(): boolean {
    return this.#failures > 0;
  }

  /** A reply came. */
  succeeded(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#probes = 0;
    this.#parts.wheel.clear(this);
    if (!this.isDown) return;
    this.isDown = false;
    this.#parts.log.info({ upstream: this.#parts.name }, 'Upstream answers again');
  }

  /** Silence, a refusal, a connection that could not be made. `reason` and `detail`, which says more to a person, are for the log. */
  failed(reason: string, detail?: string): void {
    if (this.#isStopped) return;
    this.totalFailures++;
    this.#failures++;
    this.lastError = reason;
    this.lastErrorAtMs = Date.now();
    if (this.#failures === 1) this.#scheduleProbe();
    if (this.isDown || this.#failures < DOWN_AFTER) return;
    this.isDown = true;
    this.#parts.log.warn({ upstream: this.#parts.name, reason, ...(detail && { detail }) }, 'Upstream is down');
  }

  /** The probe has ended without a reply. */
  probeFailed(): void {
    this.probeFailures++;
  }

  /** A client's question is asked in place of the next probe. */
  postponeProbe(): void {
    if (this.isSet) this.#parts.wheel.set(this, LAST_PROBE_MS);
  }

  #scheduleProbe(): void {
    const delayMs = FIRST_PROBE_MS * 2 ** this.#probes;
    this.#probes++;
    const isSpread = delayMs < LAST_PROBE_MS;
    this.#parts.wheel.set(this, isSpread ? delayMs * (0.75 + this.#parts.random() / 2) : LAST_PROBE_MS);
  }

  override onTimeout(): void {
    this.#scheduleProbe();
    this.#parts.probe();
  }

  /** No more probes. */
  stop(): void {
    this.#isStopped = true;
    this.#parts.wheel.clear(this);
  }
}
