/** `slipway audit why`: what something came of, and everything that came of it. */
import type { Command } from 'commander';
import { z } from 'zod';
import { Entry, headline, reasons } from './entry.ts';
import { askingCommand, asking, say, type SourceOptions, type Terminal } from './source.ts';

const Effect = Entry.omit({ data: true, changes: true }).extend({
  asked: z.boolean(),
  get effects() {
    return z.array(Effect);
  },
});
export type Effect = z.output<typeof Effect>;

export const Why = z.object({ correlationId: z.string(), effects: z.array(Effect), more: z.boolean() });
export type Why = z.output<typeof Why>;

interface Options extends SourceOptions {
  readonly json?: true;
}

export function whyCommand(terminal: Terminal): Command {
  return askingCommand('why')
    .description(
      'what something came of, and everything that came of it, from the request to the last effect',
    )
    .argument(
      '<id>',
      'of an event, a command or a request (X-Correlation-Id); a position; a stream; dep-…, usr_…, wh_…',
    )
    .action((id: string, options: Options) =>
      asking(options, terminal, async (source) => {
        const why = Why.parse(await source.get(`/api/v1/audit/why/${encodeURIComponent(id)}`));
        say(options.json ? JSON.stringify(why) : tree(why).join('\n'));
      }),
    );
}

export function tree({ correlationId, effects, more }: Why): readonly string[] {
  return [
    `request ${correlationId}`,
    ...branches(effects, correlationId),
    ...(more ? ['', 'There is more than is shown: ask with audit log --correlation'] : []),
  ];
}

function branches(all: readonly Effect[], request: string): readonly string[] {
  const effects = all.filter(isWorthALine);
  return effects.flatMap((effect, index) => {
    const last = index === effects.length - 1;
    const below = last ? '   ' : '│  ';
    const within = effect.effects.length > 0 ? '│  ' : '   ';
    const other = effect.correlationId === request ? '' : `, request ${effect.correlationId}`;
    return [
      `${last ? '└─ ' : '├─ '}${effect.asked ? '▶ ' : ''}${headline(effect)}${other}`,
      ...reasons(effect).map((line) => `${below}${within}${line}`),
      ...branches(effect.effects, request).map((line) => `${below}${line}`),
    ];
  });
}

/** Time that counted is noted every minute of a bake, for the machine alone. */
function isWorthALine({ type, asked, effects }: Effect): boolean {
  return type !== 'TimeEarned' || asked || effects.length > 0;
}
