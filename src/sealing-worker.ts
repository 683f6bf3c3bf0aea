/** The thread that hashes: it reads the log's file and writes the leaves, so that no request waits for either. */
import { type LogContents, openLogContents } from './adapters/sqlite/log-contents.ts';
import { openSqliteSealLeaves } from './adapters/sqlite/seal-leaves.ts';
import { serveThread } from './adapters/sqlite/thread.ts';
import { leafOfContent } from './core/seals/leaf.ts';
import { treeHeadOf } from './core/seals/leaf-maker.ts';
import { grow } from './core/seals/tree.ts';
import type { SealLeaves, TreeHead } from './ports/seals.ts';

export interface SealingWork {
  /** First of all. */
  open(files: SealedFiles): void;
  /** Makes some of the leaves that are missing. @returns whether some are missing still */
  some(): boolean;
  head(): TreeHead | null;
}

export interface SealedFiles {
  readonly log: string;
  readonly leaves: string;
  readonly logId: string;
}

const eventsAtOnce = 4_000;

let opened: { readonly contents: LogContents; readonly leaves: SealLeaves } | null = null;

function files(): NonNullable<typeof opened> {
  if (!opened) throw new Error('not opened');
  return opened;
}

const work: SealingWork = {
  open({ log, leaves, logId }) {
    opened = {
      contents: openLogContents(log, logId),
      leaves: openSqliteSealLeaves({ path: leaves, logId }),
    };
  },
  some() {
    const { contents, leaves } = files();
    const after = leaves.page(leaves.size() - 1, 1)[0]?.position ?? null;
    const page = contents.page(after, eventsAtOnce);
    if (page.length > 0)
      grow(
        leaves,
        page.map(({ content, ...place }) => leafOfContent(place, content)),
      );
    return page.length === eventsAtOnce;
  },
  head: () => treeHeadOf(files().leaves),
};

serveThread(work, () => {
  opened?.contents.close();
  opened?.leaves.close();
});
