/** Loaded into an agent by `--import`: says on standard error which modules of packages it loads. */
import { registerHooks } from 'node:module';

registerHooks({
  load(url, context, next) {
    const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
    if (name !== undefined) process.stderr.write(`loaded ${name}\n`);
    return next(url, context);
  },
});
