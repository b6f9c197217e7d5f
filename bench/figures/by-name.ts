import { bothDead } from './both-dead.ts';
import { burst } from './burst.ts';
import { calm } from './calm.ts';
import { cluster } from './cluster.ts';
import { cold } from './cold.ts';
import { encrypted } from './encrypted.ts';
import type { Figure, FigureName } from './figure.ts';
import { heap } from './heap.ts';
import { hits } from './hits.ts';
import { memory } from './memory.ts';
import { memory100k } from './memory-100k.ts';
import { million } from './million.ts';
import { misses } from './misses.ts';
import { mixed } from './mixed.ts';
import { one } from './one.ts';
import { outage } from './outage.ts';
import { reloads } from './reloads.ts';
import { rest } from './rest.ts';
import { runs } from './runs.ts';
import { slowUpstream } from './slow-upstream.ts';
import { snapshot } from './snapshot.ts';
import { soak } from './soak.ts';
import { start } from './start.ts';
import { deadMansSwitch } from './switch.ts';
import { tcp } from './tcp.ts';
import { upgrades } from './upgrades.ts';
import { watchers } from './watchers.ts';
import { zones } from './zones.ts';

export const FIGURES: Readonly<Record<FigureName, Figure>> = {
  hits,
  runs,
  misses,
  encrypted,
  mixed,
  calm,
  one,
  tcp,
  burst,
  cold,
  million,
  start,
  memory,
  'memory-100k': memory100k,
  heap,
  zones,
  reloads,
  outage,
  'slow-upstream': slowUpstream,
  'both-dead': bothDead,
  switch: deadMansSwitch,
  snapshot,
  upgrades,
  rest,
  cluster,
  watchers,
  soak,
};
