/** docs/events.md names every channel and type of announcement that there is, and no other. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { announcementTypes, channels } from '../../src/projections/announcements/types.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/events.md'), 'utf8');

function namesIn(section: string | undefined): string[] {
  return [...(section ?? '').matchAll(/^\| `([\w:]+)` \|/gm)].flatMap(([, name]) => name ?? []);
}

describe('docs/events.md', () => {
  const [, who, types] = page.split(/^## /m);

  it('names every channel, and no other', () => {
    expect(namesIn(who)).to.have.members([...channels]);
  });

  it('names every type, and no other', () => {
    expect(namesIn(types?.split('The `data` of')[0])).to.have.members(Object.keys(announcementTypes));
  });
});
