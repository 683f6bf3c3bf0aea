import { createConfigurationChecks } from '../../src/core/configuration-checks.ts';

/** The real ones, one thread for all tests of a process. It starts when first asked for, and keeps no process from ending. */
export const configurationChecks = createConfigurationChecks();
