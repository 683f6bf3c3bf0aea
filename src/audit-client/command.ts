/** `slipway audit`: the past at one's fingertips. A command a file. */
import { Command } from 'commander';
import { logCommand } from './log.ts';
import type { Terminal } from './source.ts';
import { asOfCommand, diffCommand } from './states.ts';
import { whyCommand } from './why.ts';

export function auditCommand(terminal: Terminal): Command {
  return new Command('audit')
    .description('ask the past: what happened, why, and what was so at a time')
    .addCommand(logCommand(terminal))
    .addCommand(whyCommand(terminal))
    .addCommand(asOfCommand(terminal))
    .addCommand(diffCommand(terminal));
}
