/** What must hold of a slot whatever people ask, read from its stream alone. */
import { z } from 'zod';
import type { RecordedEvent } from '../../src/ports/event-store.ts';

export type SlotFact = Pick<RecordedEvent, 'type' | 'data'>;

/** @returns a sentence for every flight that begins beside another, ends without having begun, or never ends; and who is current */
export function slotFaults(events: readonly SlotFact[]): {
  readonly faults: readonly string[];
  readonly current: string | null;
} {
  let [current, flying, waiting]: (string | null)[] = [null, null, null];
  const faults: string[] = [];
  const takeOff = (): void => {
    [flying, waiting] = [waiting ?? null, null];
  };
  for (const { type, data } of events) {
    const id = z.string().parse(data['deploymentId'] ?? data['ended']);
    switch (type) {
      case 'SlotClaimed':
      case 'RollbackClaimed':
      case 'UndeployProposed':
      case 'UndeployClaimed': {
        const decides = type === 'UndeployClaimed' && flying === id;
        if (flying && !decides) faults.push(`${id} took off while ${flying} was in flight`);
        flying = id;
        break;
      }
      case 'SuccessorClaimed':
        if (!flying || waiting) faults.push(`${id} waits for nobody, or behind ${waiting ?? 'nobody'}`);
        waiting = id;
        break;
      case 'SlotReleased':
        if (id === waiting) waiting = null;
        else if (id === flying) takeOff();
        else faults.push(`${id} was released, and held nothing`);
        break;
      case 'SlotTurned':
        if (id !== flying) faults.push(`${flying ?? 'nobody'} was in flight, ${id} ended`);
        current = z.string().nullable().parse(data['current']);
        takeOff();
        break;
    }
  }
  for (const left of [flying, waiting]) if (left) faults.push(`${left} is still in flight`);
  return { faults, current: current ?? null };
}
