import type { NodeNetworkConfig } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { TroubleLog } from '../core/trouble-log.ts';
import { chooseMode, type HostFacts, type ModeChoice } from './choose-mode.ts';
import { FirewallCheck } from './firewall-check.ts';
import { factsOf, type HostLook, readHostFacts } from './host-facts.ts';
import { Link } from './link.ts';
import { networkReasons } from './network-reasons.ts';
import type { NetworkMode, NetworkReason, NetworkReport, NetworkState } from './network-report.ts';
import { NetworkWatch } from './network-watch.ts';
import { Reconcile } from './reconcile.ts';
import { Renewal, RenewalCounts } from './renewal.ts';
import type { Finding, RuleKind } from './rule-kind.ts';
import { type NoRules, openRules, watchedTables } from './rules-by-mode.ts';
import { removeStaleAddresses } from './stale-addresses.ts';
import type { WantedState } from './wanted-state.ts';

export interface NodeNetworkParts {
  wanted: WantedState;
  log: Logger;
  clock: Clock;
  /** Undefined: `open` looks itself. */
  look?: HostLook | undefined;
}

/** What can fail, for logs and metrics. */
type Step = 'link' | 'apply' | 'inspect' | 'renew' | 'withdraw' | 'watch';

/** Without news. A look costs 12 ms of CPU, most of it in tools; where the kernel tells no news, it has to come sooner. */
const LOOK_EVERY_MS = 30_000;
const LOOK_BLIND_MS = 5000;
/** With a look after each of them, someone who undoes what we mend would take 1% of a core; kube-proxy writes to the tables of iptables all the time. */
const LOOK_REST_MS = 1000;
const LOOK_REST_IPTABLES_MS = 10_000;
/** Half of what the switch holds. With few rules of others it takes 30 ms. */
const APPLY_MS = 1500;
/** For the last step of a process that ends: the switch runs out by itself. */
const WITHDRAW_MS = 2000;

const NOTHING: Promise<HostFacts['leftovers']> = Promise.resolve([]);

/**
 * The agent's piece of the node's network. Nothing here throws or rejects after `open`: what fails is logged once, counted, a reason of `/ready`, and tried again,
 * and serving goes on. In mode `off` every method does nothing.
 *
 *   open ─▶ prepare ─▶ (bind, answer oneself) ─▶ arm ─▶ withdraw ─▶ close
 *                                                 │ ▲
 *                                           pause ▼ │ resume      a successor has taken over; it has gone
 */
export class NodeNetwork {
  readonly mode: NetworkMode;
  readonly #modeReason: string;
  readonly #rules: RuleKind | NoRules;
  /** Undefined: to be looked for when they are wanted. */
  #leftovers: Promise<HostFacts['leftovers']> | undefined;
  readonly #link: Link;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #troubles: TroubleLog;
  readonly #counts = new RenewalCounts();
  readonly #renewal: Renewal;
  readonly #reconcile: Reconcile;
  readonly #firewall: FirewallCheck;
  readonly #repairs: Record<string, number> = {};
  readonly #errors: Record<string, number> = {};
  #wanted: WantedState;
  #state: NetworkState = 'idle';
  #findings: readonly Finding[] = [];
  #looks = 0;
  #isServing = () => false;
  #watch: NetworkWatch | undefined;
  #resting: Promise<void> = Promise.resolve();

  /** Chooses the mode, and logs why. Waits for what `look` finds only where that says what to do. */
  static async open({ mode: asked }: NodeNetworkConfig, parts: NodeNetworkParts): Promise<NodeNetwork> {
    const { wanted, log, look } = parts;
    if (asked === 'off')
      return new NodeNetwork({ mode: 'off', reason: 'not asked for' }, await openRules('off', log), NOTHING, parts);
    const facts = factsOf(look, wanted.rules);
    const choice = await chooseMode(asked, () => facts);
    const rules = await openRules(choice.mode, log, choice.mode === 'iptables' ? (await facts).iptables : undefined);
    log.info({ mode: choice.mode, reason: choice.reason }, "the node's network");
    const leftovers = facts.then((found) => found.leftovers);
    return new NodeNetwork(choice, rules, leftovers, parts);
  }

  private constructor(
    { mode, reason }: ModeChoice,
    rules: RuleKind | NoRules,
    leftovers: Promise<HostFacts['leftovers']>,
    { wanted, log, clock }: NodeNetworkParts,
  ) {
    this.mode = mode;
    this.#modeReason = reason;
    this.#rules = rules;
    this.#leftovers = leftovers;
    this.#wanted = wanted;
    this.#link = new Link(wanted.link);
    this.#log = log;
    this.#clock = clock;
    this.#troubles = new TroubleLog({ log, clock });
    this.#reconcile = new Reconcile({
      look: () => this.#look(),
      restMs: mode === 'iptables' ? LOOK_REST_IPTABLES_MS : LOOK_REST_MS,
    });
    this.#firewall = new FirewallCheck({
      wanted: () => this.#wanted.rules,
      onDrop: ({ message, remedy }) => log.warn({ what: message, remedy }, "The host's firewall drops DNS"),
      onError: (error) => this.#fail('inspect', error),
    });
    this.#renewal = new Renewal(
      {
        clock,
        renew: () => rules.renew(this.#wanted.rules),
        isServing: () => this.#isServing(),
        onError: (error) => {
          this.#fail('renew', error);
          this.#reconcile.news();
        },
      },
      this.#counts,
    );
  }

  /** The link and its addresses, before anything is bound. No query is redirected by it. */
  async prepare(): Promise<void> {
    if (this.mode === 'off') return;
    await this.#link
      .apply(this.#wanted.addresses)
      .catch((error: Error) => this.#remain('link', 'address-missing', error));
    if (this.#link.name !== this.#wanted.link) {
      this.#log.warn({ link: this.#wanted.link }, `The kernel has no dummy links: addresses are on ${this.#link.name}`);
    }
    this.#state = 'prepared';
  }

  /**
   * Redirects queries here: rules and the first renewal of the switch, which is renewed every second from then on while `isServing` says so. To be called when the
   * agent answers. Resolves when queries come here, or when the first attempt has failed.
   */
  async arm(isServing: () => boolean): Promise<void> {
    if (this.mode === 'off') return;
    this.#isServing = isServing;
    this.#state = 'armed';
    const applied = this.#apply().catch((error: Error) => this.#remain('apply', 'rules-missing', error));
    // Where a tool is slow, or hangs, the rules of the process before are there: the switch must not run out meanwhile.
    await within(APPLY_MS, () => applied);
    await this.#goOn();
    await applied;
    if (this.#findings.length > 0) this.#reconcile.news();
  }

  /** Takes away what is wanted no more of what earlier processes have left: addresses, and rules of another mode. To be called when ours are in place and nobody else serves. */
  async clean(): Promise<void> {
    if (this.mode === 'off' || this.#state !== 'armed') return;
    const found = this.#leftovers ?? readHostFacts().then((facts) => facts.leftovers);
    // Each look is of use once, and one that somebody waits for may not put an end to a newer one.
    this.#leftovers = NOTHING;
    const leftovers = await found;
    // Whoever resumes looks again.
    if (this.#state !== 'armed') return;
    for (const mode of leftovers.filter((one) => one !== this.mode)) {
      const rules = await openRules(mode, this.#log);
      await this.#try('apply', () => rules.remove());
      rules.close();
      this.#log.info({ mode }, 'Removed the rules that an earlier process had left in another mode');
    }
    await this.#try('link', async () => {
      // Rules may have taken long: a successor has its own addresses by now.
      if (this.#state !== 'armed') return;
      const gone = await removeStaleAddresses(this.#wanted.link, this.#wanted.addresses);
      if (gone.length > 0) this.#log.info({ addresses: gone }, 'Removed addresses that an earlier process had left');
    });
  }

  /** A successor renews and repairs from now on; the switch and everything else stay as they are. */
  pause(): void {
    if (this.mode === 'off') return;
    this.#leftovers = undefined;
    if (this.#state !== 'armed') return;
    this.#state = 'paused';
    void this.#rest();
  }

  /** The successor is gone: renews and repairs again, at once. Where that one wanted other addresses or another mode, ours are brought in again, and then its own are taken away. */
  async resume(): Promise<void> {
    if (this.mode === 'off' || this.#state !== 'paused') return;
    this.#state = 'armed';
    await this.#try('link', () => this.#link.apply(this.#wanted.addresses));
    await this.#goOn();
    this.#reconcile.news();
    void this.#cleanAfterAnother();
  }

  /** Queries go to the cluster DNS from now on; rules and addresses stay. Nothing while paused: the switch is the successor's. */
  async withdraw(): Promise<void> {
    if (this.mode === 'off' || this.#state === 'paused') return;
    const wasArmed = this.#state === 'armed';
    this.#state = 'withdrawn';
    if (!wasArmed) return;
    // A look under way may hang in a tool; it renews no more.
    void this.#rest();
    await within(WITHDRAW_MS, async () => {
      await this.#renewal.stop();
      await this.#try('withdraw', () => this.#rules.withdraw(this.#wanted.rules));
    });
  }

  /** Other targets of the fail-over. Rules follow if they are in place already. */
  async update(wanted: WantedState): Promise<void> {
    this.#wanted = wanted;
    if (this.mode === 'off' || this.#state !== 'armed') return;
    await this.#try('apply', () => this.#apply());
    // Where that failed, a look tries again and says what is missing.
    this.#reconcile.news();
  }

  /** Ends timers, watches and processes. The node's network stays as it is: without `withdraw` the switch runs out by itself. */
  async close(): Promise<void> {
    this.#state = 'idle';
    await within(WITHDRAW_MS, () => this.#rest());
    this.#rules.close();
    this.#troubles.close();
  }

  /** For `/ready`: empty in mode `off`. */
  reasons(): readonly NetworkReason[] {
    return networkReasons(this.report(), this.#wanted.rules);
  }

  report(): NetworkReport {
    const { renewals, renewedMs, notServing } = this.#counts;
    return {
      mode: this.mode,
      modeReason: this.#modeReason,
      state: this.#state,
      link: this.#link.name,
      addresses: this.#wanted.addresses,
      rules: this.#wanted.rules,
      renewals,
      renewedSecondsAgo: renewedMs === undefined ? undefined : (this.#clock.nowMs() - renewedMs) / 1000,
      notServing,
      looks: this.#looks,
      repairs: this.#repairs,
      errors: this.#errors,
      findings: this.#findings,
      drops: this.#firewall.drops,
    };
  }

  async #cleanAfterAnother(): Promise<void> {
    await this.#try('apply', () => this.#apply());
    await this.clean();
  }

  /** With the switch on, unless something else was said meanwhile. Nothing where rules are a successor's by now. */
  async #apply(): Promise<void> {
    if (this.#state !== 'armed') return;
    await this.#rules.apply(this.#wanted.rules, () => this.#state === 'armed' && this.#isServing());
  }

  /** Unless something else was said while it waited. */
  async #goOn(): Promise<void> {
    await this.#resting;
    if (this.#state !== 'armed') return;
    const watch = await this.#openWatch();
    if (this.#state !== 'armed') {
      watch?.close();
      return;
    }
    // Of another call that waited as well: this one was begun before a pause.
    this.#watch?.close();
    this.#watch = watch;
    this.#reconcile.start(watch === undefined ? LOOK_BLIND_MS : LOOK_EVERY_MS);
    this.#firewall.start();
    await this.#renewal.start();
  }

  #rest(): Promise<void> {
    this.#watch?.close();
    this.#watch = undefined;
    this.#firewall.stop();
    this.#resting = Promise.all([this.#renewal.stop(), this.#reconcile.stop()]).then(() => {});
    return this.#resting;
  }

  #openWatch(): Promise<NetworkWatch | undefined> {
    const options = {
      link: this.#wanted.link,
      tables: watchedTables(this.mode),
      onChange: () => this.#reconcile.news(),
    };
    return NetworkWatch.open(options).catch((error: Error) => {
      this.#fail('watch', error);
      return undefined;
    });
  }

  /** Looks at what is there, and mends what is not as wanted. What is still amiss then stays a finding. */
  async #look(): Promise<void> {
    this.#looks++;
    const found = await this.#inspect();
    // A tool that failed or hung is tried again soon.
    if (found === undefined) this.#reconcile.news();
    if (found?.length === 0) this.#findings = found;
    // What is not as this one wants it may be as its successor does.
    if (found === undefined || found.length === 0 || this.#state !== 'armed') return;
    await this.#try('link', () => this.#link.apply(this.#wanted.addresses));
    await this.#try('apply', () => this.#apply());
    const left = (await this.#inspect()) ?? found;
    this.#findings = left;
    for (const { code, message } of found) {
      if (left.some((one) => one.message === message)) continue;
      this.#repairs[code] = (this.#repairs[code] ?? 0) + 1;
      this.#troubles.report(`repaired ${code}`, "Somebody changed the node's network: repaired", {
        code,
        what: message,
      });
    }
    for (const { code, message, remedy } of left) {
      this.#troubles.report(`amiss ${code}`, "The node's network is not as it should be", {
        code,
        what: message,
        remedy,
      });
    }
    // A table that was gone took the switch with it.
    void this.#renewal.renew();
  }

  async #inspect(): Promise<readonly Finding[] | undefined> {
    const { addresses, rules } = this.#wanted;
    try {
      return [...(await this.#link.inspect(addresses)), ...(await this.#rules.inspect(rules))];
    } catch (error) {
      this.#fail('inspect', error as Error);
      return undefined;
    }
  }

  async #try(step: Step, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fail(step, error as Error);
    }
  }

  /** As `fail`, and what is missing by it is a finding until the next look. */
  #remain(step: Step, code: string, error: Error): void {
    this.#fail(step, error);
    this.#findings = [...this.#findings, { code, message: error.message }];
  }

  #fail(step: Step, error: Error): void {
    this.#errors[step] = (this.#errors[step] ?? 0) + 1;
    this.#troubles.report(
      `node network ${step}`,
      "A step of the node's network failed",
      { step, reason: error.message },
      'error',
    );
  }
}

/** Waits for the work, but not for ever. */
async function within(timeoutMs: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work(), timeout]);
  clearTimeout(timer);
}
