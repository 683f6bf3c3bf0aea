import { expect } from 'chai';
import type { Executor } from '../../src/core/executor.ts';
import { TooContended } from '../../src/core/executor.ts';
import { standingOf } from '../../src/core/slot-standing.ts';
import type { Aggregate } from '../../src/domain/event.ts';
import type { DeploymentEvent } from '../../src/domain/deployment/events.ts';
import { DeploymentId, type SlotKey } from '../../src/domain/ids.ts';
import type { SlotEvent } from '../../src/domain/slot.ts';
import {
  iso,
  newId,
  oldId,
  request,
  requested,
  stageReached,
  stageStarted,
} from '../domain/deployment/samples.ts';
import { rejection } from '../support/rejection.ts';

const key = 'tenant-acme.production.payment-stripe' as SlotKey;

describe('what should run in a slot', () => {
  const turned = (
    ended: DeploymentId,
    outcome: 'Completed' | 'RolledBack',
    current: DeploymentId,
  ): SlotEvent => ({
    type: 'SlotTurned',
    data: { current, ended, outcome, coolDown: null },
  });
  const claimed = (deploymentId: DeploymentId, previousDeploymentId: DeploymentId | null): SlotEvent => ({
    type: 'SlotClaimed',
    data: { deploymentId, previousDeploymentId, expiresAt: iso(0) },
  });
  const completed: DeploymentEvent = { type: 'DeploymentCompleted', data: {} };

  /** The end of a rollout, in the order in which it is written. */
  const story: readonly (readonly [of: string, event: SlotEvent | DeploymentEvent])[] = [
    [key, claimed(oldId, null)],
    [oldId, requested(request({ totalInstances: 4 }, { deploymentId: oldId, previousDeploymentId: null }))],
    [oldId, { type: 'PromotionStarted', data: {} }],
    [key, turned(oldId, 'Completed', oldId)],
    [oldId, completed],
    [key, claimed(newId, oldId)],
    [newId, requested()],
    [newId, stageStarted(3, 10, 4)],
    [newId, stageReached(3, 10, 100)],
    [newId, { type: 'PromotionStarted', data: {} }],
    [key, turned(newId, 'Completed', newId)],
    [newId, completed],
  ];

  /** An executor over the story up to a point; `step` is called before every read and may move it. */
  function reading(at: { point: number }, step: () => void): Pick<Executor, 'load'> {
    return {
      load: async <S, E extends { readonly type: string }>(aggregate: Aggregate<S, E>, id: string) => {
        step();
        // The story gives each stream its own events.
        const events = story
          .slice(0, at.point)
          .flatMap(([of, event]) => (of === id ? [event as { type: string } as E] : []));
        return { state: events.reduce<S>(aggregate.evolve, aggregate.initial), revision: events.length - 1 };
      },
    };
  }
  const setOf = ({ epoch, desired }: Awaited<ReturnType<typeof standingOf>>): string =>
    JSON.stringify([epoch, desired.map(({ deploymentId, instances }) => [deploymentId, instances])]);

  it('never is two things under one epoch, wherever a reader meets the end of a rollout', async () => {
    const byEpoch = new Map<number, Set<string>>();
    for (let first = 6; first <= story.length; first += 1)
      for (let moveAt = 0; moveAt < 8; moveAt += 1)
        for (let by = 0; first + by <= story.length; by += 1) {
          const at = { point: first };
          let reads = 0;
          const found = await standingOf(
            reading(at, () => {
              if ((reads += 1) === moveAt) at.point += by;
            }),
            key,
          );
          byEpoch.set(found.epoch, (byEpoch.get(found.epoch) ?? new Set()).add(setOf(found)));
        }
    expect([...byEpoch.values()].map((sets) => [...sets])).to.satisfy((all: string[][]) =>
      all.every((sets) => sets.length === 1),
    );
    expect(byEpoch.size).to.be.greaterThan(2);
  });

  it('is given up when the slot never stands still', async () => {
    const endless: Pick<Executor, 'load'> = {
      load: async (aggregate, id) => ({
        state: aggregate.initial,
        revision: id === key ? (revision += 1) : 'none',
      }),
    };
    let revision = 0;
    expect(await rejection(standingOf(endless, key))).to.be.instanceOf(TooContended);
  });
});
