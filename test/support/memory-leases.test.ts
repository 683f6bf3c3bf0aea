import { describeLeases } from '../contract/leases.ts';
import { openMemoryLeases } from './memory-leases.ts';

describeLeases('memory', async (clock) => {
  const leases = openMemoryLeases(clock);
  return { open: async () => leases, remove: async () => undefined };
});
