import { readdirSync, readFileSync } from 'node:fs';
import { DELAY_BOUNDS_SECONDS, type EventLoopDelay } from './event-loop-delay.ts';
import type { Register } from './register.ts';

export interface ProcessFacts {
  readonly version: string;
  /** The commit it was built from; empty where that is not known. */
  readonly revision: string;
  readonly eventLoopDelay: EventLoopDelay;
  /** Errors that nobody caught, since start. */
  panics(): number;
}

/** What the process costs and whether its loop keeps up: the few figures of Prometheus's own clients that matter, read when asked for. */
export function registerProcessMetrics(register: Register, facts: ProcessFacts): void {
  const { version, revision, eventLoopDelay } = facts;
  register.gauge('coredns_build_info', 'What is running; always 1.', ['version', 'revision', 'goversion'], (emit) =>
    // The label is CoreDNS's; its value is the run-time's version here too.
    emit({ version, revision, goversion: process.version }, 1),
  );
  register.counter('coredns_panics_total', 'Errors that nobody caught; the process went on.', [], (emit) =>
    emit({}, facts.panics()),
  );
  register.gauge('process_start_time_seconds', 'When the process began, in seconds since 1970.', [], (emit) =>
    emit({}, performance.timeOrigin / 1000),
  );
  register.counter('process_cpu_seconds_total', 'CPU time, user and system, in seconds.', [], (emit) => {
    const { user, system } = process.cpuUsage();
    emit({}, (user + system) / 1e6);
  });
  register.gauge('process_resident_memory_bytes', 'Resident memory, file pages included.', [], (emit) =>
    emit({}, process.memoryUsage.rss()),
  );
  register.gauge('signpost_anonymous_memory_bytes', 'Resident memory that is not file pages.', [], (emit) => {
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(procFile('status'))?.[1];
    if (kilobytes !== undefined) emit({}, Number(kilobytes) * 1024);
  });
  registerDescriptors(register);
  register.histogram(
    'signpost_event_loop_delay_seconds',
    'How late the event loop ran a timer, sampled four times a second.',
    [],
    DELAY_BOUNDS_SECONDS,
    (emit) => emit({}, eventLoopDelay.counts, eventLoopDelay.sumSeconds),
  );
  register.counter(
    'signpost_event_loop_active_seconds_total',
    'Time that the event loop was busy; its rate is the share of the one thread in use.',
    [],
    (emit) => emit({}, performance.eventLoopUtilization().active / 1000),
  );
}

function registerDescriptors(register: Register): void {
  register.gauge('process_open_fds', 'Open file descriptors.', [], (emit) => {
    const count = openDescriptors();
    if (count !== undefined) emit({}, count);
  });
  register.gauge('process_max_fds', 'How many file descriptors may be open.', [], (emit) => {
    const soft = /^Max open files\s+(\d+)/m.exec(procFile('limits'))?.[1];
    if (soft !== undefined) emit({}, Number(soft));
  });
}

/** Undefined off Linux. The descriptor that reads the folder is not counted. */
function openDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

/** Empty off Linux: its metrics are then absent. */
function procFile(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, 'latin1');
  } catch {
    return '';
  }
}
