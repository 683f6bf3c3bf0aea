/** A whole Slipway and a bare Express server, each in a process of its own, and a third that asks them. */
import { openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startChild } from '../child.ts';
import { type Ready, startSlipway } from '../slipway.ts';
import { bearer, loggedIn, registerDependency, type Target } from './client.ts';
import type { Load, Loaded } from './load.ts';

export interface Beside {
  /** Where the example of a registration is accepted. */
  readonly ours: Target;
  readonly reference: Target;
  readonly slipway: Child;
  readonly bare: Child;
  readonly ask: (target: Target, load: Omit<Load, 'url' | 'headers'>) => Promise<Loaded>;
}

/** All of them are there while it is used, and gone afterwards. */
export async function withBoth<T>(use: (both: Beside) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const slipway = startSlipway(folder);
  const bare = startChild('http/bare.ts', { stderr: openSync('/dev/null', 'w') });
  const generator = startChild('http/load.ts');
  try {
    const ours = await loggedIn((await slipway.next<Ready>()).url);
    const reference = await bare.next<Target>();
    await registerDependency(ours);
    const ask: Beside['ask'] = (target, load) =>
      generator.ask<Loaded>({ url: target.url, headers: bearer(target), ...load } satisfies Load);
    return await use({ ours, reference, slipway, bare, ask });
  } finally {
    await Promise.allSettled([slipway, bare, generator].map((child) => child.stop()));
    await rm(folder, { recursive: true });
  }
}
