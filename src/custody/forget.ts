/** `slipway audit forget`: a person, for good. */
import type { Command } from 'commander';
import { say } from '../audit-client/source.ts';
import { type Custody, exitCodes, inSentences } from './custody.ts';
import { apiOf, asking, type AskingOptions } from './prove.ts';

export function forgetCommand(custody: Custody): Command {
  return asking('forget', 'users:forget')
    .description(
      'forget a person for good: name and e-mail address become unreadable everywhere; see docs/backup.md',
    )
    .argument('<user>', 'the id of the user: usr_…')
    .option('--yes', 'I know that nothing brings it back')
    .action((userId: string, options: AskingOptions & { readonly yes?: true }) =>
      inSentences(custody, async () => {
        if (!options.yes)
          custody.fail('Nothing brings it back: say --yes if you mean it.', exitCodes.wrongOptions);
        await apiOf(options, custody).delete(`/api/v1/users/${encodeURIComponent(userId)}/personal-data`);
        if (options.json) say(JSON.stringify({ forgotten: userId }));
        else {
          say(`${userId} is forgotten. What the user did stays in the log, without a name.`);
          say(
            'Files of personal keys that you have copied elsewhere still know it: replace them with the newest.',
          );
        }
      }),
    );
}
