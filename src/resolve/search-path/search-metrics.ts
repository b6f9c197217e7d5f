import type { Register } from '../../metrics/register.ts';
import type { LookAhead } from './look-ahead.ts';
import type { SearchLocal } from './search-local.ts';

/** What became of the names that search paths make (docs/search-paths.md). */
export function registerSearchMetrics(register: Register, search: SearchLocal, ahead: LookAhead): void {
  const answers = 'Names of the cluster zone answered as absent without being asked, by what was known.';
  register.counter('signpost_search_answers_total', answers, ['by'], (emit) => {
    emit({ by: 'cut' }, search.byCut + search.spared);
    emit({ by: 'services' }, search.byServices);
    emit({ by: 'stale-cut' }, search.byStaleCut);
  });
  const cuts = 'Questions about the names above those that clients asked for.';
  register.counter('signpost_search_cut_questions_total', cuts, [], (emit) => emit({}, search.questions));
  const begun = 'Search paths whose next names were looked up before the resolver asked.';
  register.counter('signpost_search_look_aheads_total', begun, [], (emit) => emit({}, ahead.begun));
  const pauses = 'Times that nobody was gone ahead of for half a minute, since hardly any question had been of use.';
  register.counter('signpost_search_look_ahead_pauses_total', pauses, [], (emit) => emit({}, ahead.pauses));
  const asked = 'Questions that these asked. Counted some seconds later.';
  register.counter('signpost_search_look_ahead_questions_total', asked, [], (emit) => emit({}, ahead.count().asked));
  const used = 'Of these questions, those that a client came to ask as well.';
  register.counter('signpost_search_look_ahead_used_total', used, [], (emit) => emit({}, ahead.count().used));
}
