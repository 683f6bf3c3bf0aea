import { expect } from 'chai';
import fc from 'fast-check';
import { entryLines, type HistoryEntry } from '../../src/watch/history.ts';
import { hasEnded, Watched } from '../../src/watch/picture.ts';
import { createPainter } from '../../src/watch/screen.ts';
import { columns } from '../../src/client/text.ts';
import type { Seen } from '../../src/watch/watch.ts';

const now = Date.parse('2030-01-01T00:10:00.000Z');

/** A terminal that knows what the painter uses: its lines from the first ever written on, cursor and all. */
function createTerminal(width: number, rows: number) {
  const lines: string[] = ['before'];
  let at = 1;
  return {
    ...{ columns: width, rows, lines },
    write(text: string) {
      for (const part of text.replaceAll('\x1b', '␛').split(/(␛\[\d*[A-Z]|[\n\r])/)) {
        const up = /^␛\[(\d+)A$/.exec(part)?.[1];
        if (part === '') continue;
        if (up !== undefined) at -= Number(up);
        else if (part === '␛[2K') lines[at] = '';
        else if (part === '␛[J') lines.splice(at);
        else if (part === '\n') at += 1;
        else if (part !== '\r') lines[at] = part;
      }
      // Above the first line of the screen nothing can be drawn: the cursor would stay on it.
      if (at < 0) throw new Error('the cursor left the screen');
    },
  };
}

const watched = (status: string, stages: number, reason: string | null): Watched =>
  Watched.parse({
    ...{ deploymentId: 'dep-1', pluginId: 'p', pluginVersion: '1.0.0', tenantId: 't', environment: 'E' },
    ...{ strategy: 'Canary', runtime: 'simulated', status, phase: status, stage: 1, progress: 0 },
    ...{ totalInstances: 3, healthyInstances: 1, unhealthyInstances: 0, reason },
    ...{ previousDeploymentId: null, lastHealthCheck: null, estimatedCompletionAt: null },
    plan: {
      stages: Array.from({ length: stages }, () => ({
        ...{ percent: 10, instances: 1, bakeMs: 1_000, approval: false },
      })),
    },
  });
const entry = (summary: string, evidence: readonly string[] = []): HistoryEntry => ({
  ...{ at: '2030-01-01T00:09:58.000Z', summary, reason: null, evidence: [...evidence], by: null },
});

describe('what is drawn in a terminal', () => {
  it('shows the history below the picture', () => {
    const terminal = createTerminal(60, 24);
    const paint = createPainter(terminal, { now: () => now });
    const went = entry('Stage 2 of 3 began: 2 of 3 instances start', [
      'Stage 1 baked its whole 4 s while all of its instances were heard of',
      'Instance a passed 5 times',
    ]);
    paint({ watched: watched('InProgress', 1, null), news: [entry('Somebody asked')] });
    paint({ watched: watched('InProgress', 1, null), news: [went] });
    expect(terminal.lines.slice(-8)).to.eql([
      'no instance has been heard of yet',
      '',
      'What happened, and why (UTC):',
      '00:09:58 Somebody asked',
      '00:09:58 Stage 2 of 3 began: 2 of 3 instances start',
      '         - Stage 1 baked its whole 4 s while all of its',
      '           instances were heard of',
      '         - Instance a passed 5 times',
    ]);
  });

  it('is what an ordinary terminal shows where none says how large it is', () => {
    const [unknown, usual] = [createTerminal(0, 0), createTerminal(80, 24)];
    for (const terminal of [unknown, usual]) {
      const paint = createPainter(terminal, { now: () => now });
      for (let at = 0; at < 30; at += 1)
        paint({ watched: watched('InProgress', 3, 'a reason '.repeat(20)), news: [entry(`Entry ${at}`)] });
    }
    expect(unknown.lines).to.eql(usual.lines);
  });

  it('shows what an entry stood on as far as people read it, and how much more there is', () => {
    const evidence = Array.from({ length: 7 }, (_, index) => `instance ${index} passed`);
    const shown = entryLines(entry('Began', evidence), now, 60);
    expect(shown).to.eql([
      '00:09:58 Began',
      ...evidence.slice(0, 5).map((sentence) => `         - ${sentence}`),
      '         - and 2 more',
    ]);
    expect(entryLines(entry('Began', evidence.slice(1)), now, 60)).to.have.length(7);
  });

  const texts = fc.oneof(fc.string({ maxLength: 60 }), fc.constantFrom('健康', 'a b '.repeat(40), '🙂'));
  const entries = fc.record({ summary: texts, evidence: fc.array(texts, { maxLength: 3 }) });
  const seen = fc.oneof(
    fc.record({
      watched: fc
        .tuple(fc.constantFrom('Pending', 'InProgress', 'Completed'), fc.integer({ min: 1, max: 20 }), texts)
        .map(([status, stages, reason]) => watched(status, stages, reason)),
      news: fc.array(
        entries.map(({ summary, evidence }) => entry(summary, evidence)),
        { maxLength: 4 },
      ),
    }),
    fc.record({ lost: texts }),
  );

  it('leaves nothing of what was drawn before, is never wider, and higher only at the end', () => {
    fc.assert(
      fc.property(
        fc.array(seen, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 20, max: 100 }),
        fc.integer({ min: 3, max: 40 }),
        (all, width, rows) => {
          const ending = all.findIndex((one) => 'watched' in one && hasEnded(one.watched));
          const drawn: readonly Seen[] = ending === -1 ? all : all.slice(0, ending + 1);
          const terminal = createTerminal(width, rows);
          const paint = createPainter(terminal, { now: () => now });
          for (const [index, one] of drawn.entries()) {
            paint(one);
            expect(terminal.lines[0]).to.equal('before');
            const lines = terminal.lines.slice(1);
            for (const line of lines) expect(columns(line)).to.be.at.most(width);
            if (index !== ending) expect(lines.length).to.be.below(rows);
          }
          const once = createTerminal(width, rows);
          const news = drawn.flatMap((one) => ('watched' in one ? one.news : []));
          const last = drawn.findLast((one) => 'watched' in one);
          const paintOnce = createPainter(once, { now: () => now });
          if (last) paintOnce({ watched: last.watched, news });
          const end = drawn.at(-1);
          if (end && 'lost' in end) paintOnce(end);
          expect(terminal.lines).to.eql(once.lines);
        },
      ),
    );
  });
});
