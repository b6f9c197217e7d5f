import type { Clock } from '../core/clock.ts';
import type { Register } from '../metrics/register.ts';
import { mistakenIdentity, type ProbeIdentity, standbyAnswer } from './identity.ts';
import { type Answer, errorAnswer, type Page } from './page.ts';

/** CoreDNS's bounds: 0.25 ms, times ten. */
const BOUNDS_SECONDS: readonly number[] = [0.00025, 0.0025, 0.025, 0.25, 2.5];

export interface HealthPageOptions extends ProbeIdentity {
  /** Asks the agent a question through its own socket. Resolves when it was answered, rejects with the reason within a second or so. */
  readonly probe: () => Promise<void>;
  readonly clock: Clock;
}

/** `/health`: 200 while the event loop and the listeners answer, 503 when they do not. */
export class HealthPage implements Page {
  readonly path = '/health';
  readonly method = 'GET';
  readonly #options: HealthPageOptions;
  readonly #counts = new Float64Array(BOUNDS_SECONDS.length + 1);
  #sumSeconds = 0;
  #failures = 0;
  /** Probes that come together share one question. */
  #asked: Promise<void> | undefined;

  constructor(options: HealthPageOptions) {
    this.#options = options;
  }

  async answer(query: URLSearchParams): Promise<Answer> {
    const standby = standbyAnswer(query, this.#options, (message) => plain(`OK: ${message}\n`));
    if (standby !== undefined) return await standby;
    const mistake = mistakenIdentity(query, this.#options);
    if (mistake !== undefined) return errorAnswer(503, 'ERR_OTHER_PROCESS', mistake);
    const startMs = this.#options.clock.nowMs();
    try {
      this.#asked ??= this.#options.probe();
      await this.#asked;
      return plain('OK\n');
    } catch (error) {
      this.#failures++;
      return errorAnswer(503, 'ERR_UNHEALTHY', (error as Error).message);
    } finally {
      this.#asked = undefined;
      this.#count((this.#options.clock.nowMs() - startMs) / 1000);
    }
  }

  registerMetrics(register: Register): void {
    register.histogram(
      'coredns_health_request_duration_seconds',
      'Time that each request for /health took, in seconds.',
      [],
      BOUNDS_SECONDS,
      (emit) => emit({}, this.#counts, this.#sumSeconds),
    );
    register.counter(
      'coredns_health_request_failures_total',
      'Requests for /health that found it wanting.',
      [],
      (emit) => emit({}, this.#failures),
    );
  }

  #count(seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS_SECONDS.length && seconds > BOUNDS_SECONDS[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sumSeconds += seconds;
  }
}

function plain(body: string): Answer {
  return { status: 200, contentType: 'text/plain; charset=utf-8', body };
}
