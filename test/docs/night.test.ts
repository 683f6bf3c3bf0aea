/** docs/night.md, command by command as it stands there, on a night that was. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { morning, openNight, type Night, plugin } from '../api/audit/night.ts';
import { acmeId, tenantOf } from '../api/plugin-manager/whole-server.ts';
import { filesIn, tamper } from '../core/seals/world.ts';
import { type Ran, runCommand } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const page = resolve(import.meta.dirname, '../../docs/night.md');

describe('docs/night.md', function () {
  this.timeout(300_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let past: Night;
  let blocks: readonly (readonly string[])[];
  const file = (name: string): string => join(place.path, name);

  before(async () => {
    place = await temporaryFolder();
    past = await openNight();
    const text = await readFile(page, 'utf8');
    blocks = [...text.matchAll(/<!-- run: night -->\n```sh\n([^]*?)```/g)].map(([, block = '']) =>
      block.split('\n').filter((line) => line.startsWith('slipway ')),
    );
    for (const [name, role] of [
      ['key.txt', 'TenantAdmin'],
      ['staff.txt', 'PlatformAdmin'],
    ] as const)
      await writeFile(file(name), await past.server.asRole(role, tenantOf[role]));
  });
  after(async () => {
    await past.server.stop();
    await place.remove();
  });

  /** The key that the auditor knows; the page shows another. */
  let publicKey = '';

  async function typed(line: string): Promise<Ran> {
    const [command = '', target] = line.split(' > ');
    const words = command
      .replaceAll('payment-stripe', plugin)
      .replaceAll('slot-acme.', `slot-${acmeId}.`)
      .replaceAll('2025-11-23', '2030-01-01')
      .replaceAll('dep-f0c9aa17ccac52a8a20a', past.canary)
      .replaceAll(/uXZ\w+/g, publicKey)
      .replaceAll('./data', past.server.folder)
      .split(' ')
      .map((word) => (/^[a-z]+[.](txt|json)$/.test(word) ? file(word) : word));
    const url = words.includes('--key-file') ? ['--url', past.server.url] : [];
    const ran = await runCommand([...words.slice(1), ...url]);
    if (target !== undefined) await writeFile(file(target), ran.stdout);
    return ran;
  }

  async function block(index: number, codes: readonly number[]): Promise<readonly string[]> {
    const ran = [];
    for (const line of blocks[index] ?? []) ran.push(await typed(line));
    expect(
      ran.map(({ code }) => code),
      JSON.stringify(ran),
    ).to.deep.equal(codes);
    return ran.map(({ stdout }) => stdout);
  }

  it('finds who deployed what, why the canary advanced, and what it was configured with', async () => {
    expect(blocks).to.have.length(8);
    const [happened = ''] = await block(0, [0]);
    expect(happened).to.include('tenantadmin@').and.to.include(past.canary).and.to.include('RollbackClaimed');
    expect(happened).not.to.include('InstanceHealthObserved');
    const [why = ''] = await block(1, [0]);
    expect(why)
      .to.match(/Stage 2 of 3/)
      .and.to.match(/ready|healthy/);
    const [slot = '', deployment = ''] = await block(2, [0, 0]);
    expect(slot).to.include(`"current": "${past.canary}"`);
    expect(deployment).to.include('"limit": 1').and.to.include('"apiKey": "[hidden]"');
  });

  it('proves to a stranger that nobody rewrote it, and no longer when somebody did', async () => {
    const [kept = ''] = await block(4, [0]);
    ({ publicKey } = z.object({ publicKey: z.string() }).parse(JSON.parse(kept)));
    await past.until(morning);
    expect((await block(3, [3]))[0]).to.include('current');
    await block(5, [0]);
    const [checked = ''] = await block(6, [0]);
    const shown = (await readFile(page, 'utf8')).match(/```\n(The proof holds[^]*?)```/)?.[1] ?? '';
    const shape = (text: string): string => text.replaceAll(/dep-\w+|\d[\d:.TZ-]*/g, '…');
    expect(shape(checked).startsWith(shape(shown)), checked).to.equal(true);
    expect(shown).to.include('The event was among them.');
    expect((await block(7, [0]))[0]).to.match(/^Whole: \d+ events are as they were sealed/);

    tamper(filesIn(past.server.folder).log, (log) =>
      log
        .prepare('UPDATE events SET data = replace(data, \'"limit":1\', \'"limit":2\') WHERE stream = ?')
        .run(`deployment-${past.canary}`),
    );
    const proved = await typed((blocks[5]?.[0] ?? '').replace('proof.json', 'again.json'));
    expect(proved.code).to.equal(1);
    expect(proved.stderr).to.include('is not what was sealed');
    expect((await block(7, [3]))[0]).to.include(`revision 0 of deployment-${past.canary}`);
  });
});
