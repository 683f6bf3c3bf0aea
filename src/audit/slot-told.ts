/** What an event of a slot says, in a sentence. */
import type { SlotEvent } from '../domain/slot.ts';

export function slotTold({ type, data }: SlotEvent): string {
  switch (type) {
    case 'SlotClaimed':
      return `${data.deploymentId} is on its way to the slot`;
    case 'SuccessorClaimed':
      return `${data.deploymentId} waits for the slot, until what is on its way there has ended`;
    case 'SlotReleased':
      return `${data.deploymentId} gave the slot back`;
    case 'SlotTurned':
      return `${data.ended} ended as ${data.outcome}; ${data.current ?? 'nothing'} is current in the slot now`;
    case 'RollbackClaimed':
      return `${data.deploymentId} is to give way to ${data.to} again`;
    case 'UndeployProposed':
      return `${data.deploymentId} is to leave the slot, unless others need it`;
    case 'UndeployClaimed':
      return `${data.deploymentId} leaves the slot`;
  }
}
