/** docs/settings.md names every setting and scenario that there is, and no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { scenarioNames } from '../../src/adapters/simulated/scenario.ts';
import { settingNames } from '../../src/config.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/settings.md'), 'utf8');

function namesIn(section: string): string[] {
  const cells = [...section.matchAll(/^\| (`[\w-]+`(?:, `[\w-]+`)*) \|/gm)].flatMap(([, cell]) => cell ?? []);
  return cells.flatMap((cell) => cell.replaceAll('`', '').split(', '));
}

describe('docs/settings.md', () => {
  const [settings = '', scenarios = ''] = page.split('## Simulated scenarios');

  it('names every setting, and no other', () => {
    // NODE_ENV is not ours: it only tells where we are.
    const ours = settingNames.filter((name) => name !== 'NODE_ENV');
    expect(namesIn(settings)).to.have.members(ours);
  });

  it('names every scenario of simulated instances, and no other', () => {
    expect(namesIn(scenarios)).to.have.members([...scenarioNames]);
  });
});
