/** The image, as far as it can be judged without building it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { isPinned, isSetting, root, text } from './files.ts';

/** Instructions, with their continued lines in one and without comments. */
const instructions = text('deploy/Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => line.trim().split(/\s+/));
const all = (name: string): readonly string[][] => instructions.filter(([first]) => first === name);

describe('deploy/Dockerfile', () => {
  it('begins with images that stay what they are', () => {
    for (const [, image = ''] of all('FROM')) expect(isPinned(image), image).to.be.true;
  });

  it('runs as nobody in particular, and looks after itself', () => {
    expect(all('USER').at(-1)).to.deep.equal(['USER', '10001:10001']);
    const last = instructions.map(([name]) => name);
    expect(last.lastIndexOf('RUN')).to.be.below(last.lastIndexOf('USER'));
    expect(all('HEALTHCHECK').join(' ')).to.include('/health');
  });

  it('copies what is there, and the build may see it', () => {
    const seen = text('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copied = all('COPY')
      .filter(([, first]) => !first?.startsWith('--from'))
      .flatMap(([, ...paths]) => paths.slice(0, -1));
    expect(copied).to.include.members(['src', 'package.json', 'package-lock.json']);
    for (const path of copied) {
      expect(existsSync(join(root, path)), path).to.be.true;
      expect(seen, path).to.include(`!${path}`);
    }
    // Nothing more: what is not copied need not be seen.
    expect(seen).to.have.length(new Set(copied).size);
  });

  it('sets what there is to set, and no secret', () => {
    const pairs = all('ENV').flatMap(([, ...settings]) => settings.map((setting) => setting.split('=')));
    for (const [name = ''] of pairs) {
      expect(name === 'PATH' || isSetting(name), name).to.be.true;
      expect(name).to.not.match(/KEY|SECRET|PASSWORD/);
    }
  });
});
