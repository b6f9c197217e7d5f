import type { Clock } from '../core/clock.ts';
import { METRICS_PAGES } from '../core/limits.ts';
import type { Register } from '../metrics/register.ts';
import type { Answer, Page } from './page.ts';

/** `/metrics`, in Prometheus's text format. Its port is open to the network, so that pages made in a second are bounded. */
export class MetricsPage implements Page {
  readonly path = '/metrics';
  readonly method = 'GET';
  readonly #register: Register;
  readonly #clock: Clock;
  #second = -1;
  #made = 0;
  #latest: Promise<string> | undefined;

  constructor(register: Register, clock: Clock) {
    this.#register = register;
    this.#clock = clock;
  }

  async answer(): Promise<Answer> {
    return { status: 200, contentType: this.#register.contentType, body: await this.#text() };
  }

  #text(): Promise<string> {
    const second = Math.floor(this.#clock.nowMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#made = 0;
    }
    if (this.#latest !== undefined && this.#made >= METRICS_PAGES.value) {
      METRICS_PAGES.hits++;
      return this.#latest;
    }
    this.#made++;
    this.#latest = this.#register.text();
    return this.#latest;
  }
}
