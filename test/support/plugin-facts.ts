/** Plugins for tests, said in as few words as the test needs. */
import { z } from 'zod';
import { TenantId } from '../../src/domain/ids.ts';
import type { Publication } from '../../src/domain/publication.ts';
import type { Publisher } from '../../src/domain/publisher.ts';
import { Registration } from '../../src/domain/registration.ts';

export const acme = TenantId.parse('acme');
export const developer: Publisher = { tenant: acme, role: 'PluginDeveloper' };

/** A body of `POST /plugins`: `plugin-a` in version 1.0.0 but for what is given. */
export function registration(
  plugin: Partial<z.input<typeof Registration>> = {},
  version: Partial<z.input<typeof Registration>['version']> = {},
): Registration {
  return Registration.parse({
    pluginId: 'plugin-a',
    name: 'Plugin A',
    ...plugin,
    version: { semanticVersion: '1.0.0', runtime: { type: 'Node' }, ...version },
  });
}

export function publication(sent: Registration, more: Partial<Publication> = {}): Publication {
  return {
    registration: sent,
    sealedAuthor: null,
    publisher: developer,
    ids: { plugin: 'plg_1', version: 'ver-1' },
    at: '2026-01-01T00:00:00.000Z',
    dependencyConflict: null,
    ...more,
  };
}
