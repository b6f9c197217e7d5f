import { SignpostError } from '../core/errors.ts';
import type { Status } from './api-objects.ts';

/**
 * Why the API server did not give what was asked for. `unreachable`: no answer at all. `expired`: the resource version is no longer kept, or not yet known.
 * `unsupported`: it does not know this way of asking. `missing`: 404.
 */
export type ApiTrouble =
  | 'unreachable'
  | 'unauthorized'
  | 'forbidden'
  | 'missing'
  | 'expired'
  | 'unsupported'
  | 'busy'
  | 'malformed'
  | 'failed';

/** `code` is `ERR_KUBERNETES_` and the trouble. */
export class ApiError extends SignpostError {
  readonly trouble: ApiTrouble;
  /** What the server asked to wait; 0: nothing. */
  readonly retryAfterMs: number;

  constructor(trouble: ApiTrouble, message: string, { retryAfterMs = 0, cause }: ApiErrorOptions = {}) {
    super(`ERR_KUBERNETES_${trouble.toUpperCase()}`, message, { cause });
    this.trouble = trouble;
    this.retryAfterMs = retryAfterMs;
  }
}

interface ApiErrorOptions {
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** What a status code of HTTP and the `Status` behind it mean. `what`: `watch endpointslices in kube-system`. `retryAfter`: the header of that name. */
export function statusError(what: string, code: number, status: Status | undefined, retryAfter?: string): ApiError {
  const seconds = Number(retryAfter ?? status?.details?.retryAfterSeconds ?? 0);
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, MOST_WAIT_SECONDS) * 1000 : 0;
  const said = status?.message ?? status?.reason ?? 'it says no more';
  return new ApiError(
    troubleOf(code, status),
    `Cannot ${what}: the API server answers ${code}: ${said.slice(0, MOST_SAID)}`,
    {
      retryAfterMs,
    },
  );
}

/** A server that asks for more is asked again all the same. */
const MOST_WAIT_SECONDS = 300;
const MOST_SAID = 300;

function troubleOf(code: number, status: Status | undefined): ApiTrouble {
  if (code === 401) return 'unauthorized';
  if (code === 403) return 'forbidden';
  if (code === 404) return 'missing';
  if (code === 410 || isAhead(status)) return 'expired';
  if (code === 400 || code === 422) return 'unsupported';
  if (code === 429 || code === 503 || code === 504) return 'busy';
  return 'failed';
}

/** A version that the server has not come to yet: it was restored from a backup, or is behind the one that was asked before. */
function isAhead(status: Status | undefined): boolean {
  return status?.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge') === true;
}
