import { readClockState } from '../../native/clock-state.ts';
import { note, ok, warning } from '../diagnosis.ts';
import type { Check } from './check.ts';

/** Before the oldest certificate and release there could be: a clock that was never set. */
const SET_SINCE_MS = Date.UTC(2025, 0, 1);

const REMEDY =
  'run a time service on the node: timedatectl set-ntp true, or chronyd; see timedatectl timesync-status, chronyc tracking';

/** Whether the node's clock is right: certificates (tls://, https://), DNSSEC and the Kubernetes API need it. Cached answers do not. */
export const clockCheck: Check = {
  name: 'clock',
  async look({ config }) {
    const now = new Date().toISOString().slice(0, 19);
    if (Date.now() < SET_SINCE_MS) {
      return [warning('clock-unset', `it says ${now}Z: no certificate is valid by it`, REMEDY)];
    }
    const isNeeded = config?.zones.some(({ upstreams }) =>
      upstreams.some(({ transport }) => transport === 'tls' || transport === 'https'),
    );
    const { isSynchronised, maxErrorMs } = await readClockState();
    if (isSynchronised) return [ok('clock-synchronised', `${now}Z, right to within ${Math.ceil(maxErrorMs)} ms`)];
    const message = `${now}Z, and no time service keeps it, by what the kernel knows`;
    return isNeeded === true
      ? [warning('clock-unsynchronised', `${message}: encrypted upstreams fail when it is wrong by much`, REMEDY)]
      : [note('clock-unsynchronised', message, REMEDY)];
  },
};
