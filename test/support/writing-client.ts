/**
 * A client that writes one command after the other and remembers what it was told: stories of a tenant, a plugin, more versions of
 * it and a deployment, each in a tenant and with a plugin of its own, so that what is there can be told from what is not.
 */
import { expect } from 'chai';
import type { Client, Reply } from './http.ts';
import type { SeededRandom } from './seeded-random.ts';

interface Sent {
  /** What it is about, for messages. */
  readonly name: string;
  readonly path: string;
  readonly body: object;
  readonly key: string | null;
  /** Whether its effect is there, exactly once. */
  readonly isThere: (call: Call) => Promise<boolean>;
}

/** A command, and what became of it. */
export interface Command extends Sent {
  readonly outcome: 'acknowledged' | 'unknown';
  /** The answer to it, where one came. */
  readonly answer: Reply | null;
}

export type Call = (method: string, path: string, body?: object, key?: string | null) => Promise<Reply>;

/** @param token of a platform administrator */
export function caller(client: Client, token: string): Call {
  return (method, path, body, key) =>
    client.call(method, `/api/v1${path}`, {
      token,
      ...(body && { body }),
      ...(key != null && { headers: { 'Idempotency-Key': key } }),
    });
}

/**
 * What an observer of one client may not see.
 * @param commands in the order in which they were sent, each when the one before was answered or given up
 * @param there whether the effect of each is there
 */
export function prefixFaults(
  commands: readonly Pick<Command, 'name' | 'outcome'>[],
  there: readonly boolean[],
): readonly string[] {
  const lastThere = there.lastIndexOf(true);
  return commands.flatMap(({ name, outcome }, index) => {
    if (there[index]) return [];
    if (outcome === 'acknowledged') return [`${name} was acknowledged and is lost`];
    return index < lastThere ? [`${name} is missing before what came after it`] : [];
  });
}

export interface WritingClient {
  /** Writes until the server is gone. @param onAnswer is told of every acknowledgement */
  write(call: Call, onAnswer: () => void): Promise<void>;
  /**
   * After a restart: says what is wrong with what is there, and gives what was in flight an end.
   * @returns sentences
   */
  lookBack(call: Call): Promise<readonly string[]>;
  /** Everything ever sent that had an effect, in order. */
  readonly commands: readonly Command[];
}

export function createWritingClient(name: string, random: SeededRandom): WritingClient {
  const commands: Command[] = [];
  /** Sent since the last start: an unacknowledged one can only be the last. */
  let recent: Command[] = [];
  let story = stories(name, random);

  async function lookBackAt(call: Call): Promise<readonly string[]> {
    const there = await Promise.all(recent.map(({ isThere }) => isThere(call)));
    const faults = [...prefixFaults(recent, there)];
    const last = recent.at(-1);
    if (last && last.key !== null) {
      const again = await call('POST', last.path, last.body, last.key);
      const before = last.answer ?? again;
      if (again.status >= 300) faults.push(`${last.name}, repeated, was answered ${again.status}`);
      else if (JSON.stringify(again.body) !== JSON.stringify(before.body))
        faults.push(`${last.name} was answered otherwise than before`);
      else if (!(await last.isThere(call))) faults.push(`${last.name} was repeated and is still missing`);
      recent[recent.length - 1] = { ...last, outcome: 'acknowledged', answer: again };
    } else if (last?.outcome === 'unknown') {
      if (there.at(-1)) recent[recent.length - 1] = { ...last, outcome: 'acknowledged' };
      else {
        recent.pop();
        // What it left half done may be in the way of its repetition: another story begins.
        story = stories(`${name}-${commands.length + recent.length}`, random);
      }
    }
    return faults;
  }

  return {
    commands,
    write: async (call, onAnswer) => {
      for (;;) {
        const { value: sent } = story.next();
        recent.push({ ...sent, outcome: 'unknown', answer: null });
        const answer = await call('POST', sent.path, sent.body, sent.key).catch(() => null);
        if (!answer) return;
        expect(answer.status, `${sent.name}: ${JSON.stringify(answer.body)}`).to.be.within(200, 299);
        recent[recent.length - 1] = { ...sent, outcome: 'acknowledged', answer };
        onAnswer();
        if (sent.key === null || random.chance(0.5)) continue;
        const again = await call('POST', sent.path, sent.body, sent.key).catch(() => null);
        if (!again) return;
        expect(again.body, sent.name).to.deep.equal(answer.body);
        expect(again.headers.get('Idempotency-Replayed'), sent.name).to.equal('true');
      }
    },
    lookBack: async (call) => {
      const faults = await lookBackAt(call);
      commands.push(...recent);
      recent = [];
      return faults;
    },
  };
}

function* stories(client: string, random: SeededRandom): Generator<Sent, never> {
  for (let number = 0; ; number += 1) {
    const name = `${client}-${number}`;
    const key = (step: string): string | null => (random.chance(0.5) ? `${name}-${step}` : null);
    const plugin = `plugin-${name}`;
    const tenant = `tenant-${name}`;
    yield {
      ...{ name: tenant, path: '/tenants', key: key('tenant') },
      body: { tenantId: tenant, name: tenant, subscriptionTier: 'Standard' },
      isThere: (call) => exists(call, `/tenants/${tenant}`),
    };
    const versions = random.between(1, 5);
    for (let minor = 0; minor < versions; minor += 1) {
      const version = `1.${minor}.0`;
      yield {
        ...{ name: `${plugin} ${version}`, path: '/plugins', key: key(version) },
        body: {
          ...{ pluginId: plugin, name: plugin },
          version: {
            semanticVersion: version,
            state: 'Stable',
            runtime: { type: 'DotNet8', version: '8.0' },
          },
        },
        isThere: (call) => exists(call, `/plugins/${plugin}/versions/${version}`),
      };
    }
    yield {
      ...{ name: `deployment of ${plugin}`, path: '/plugin-deployments', key: key('deployment') },
      body: {
        ...{ pluginId: plugin, pluginVersion: '1.0.0', tenantId: tenant, environment: 'Production' },
        totalInstances: 2,
      },
      isThere: async (call) => {
        const { status, body } = await call('GET', `/plugin-deployments?tenantId=${tenant}`);
        expect(status).to.equal(200);
        const { total } = body as { readonly total: number };
        expect(total, tenant).to.be.at.most(1);
        return total === 1;
      },
    };
  }
}

async function exists(call: Call, path: string): Promise<boolean> {
  const { status } = await call('GET', path);
  expect(status, path).to.be.oneOf([200, 404]);
  return status === 200;
}
