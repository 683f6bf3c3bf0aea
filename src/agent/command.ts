/** `slipway agent`: the options, the loud word that nothing really runs, and the end. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { parseScenario, type Scenario, scenarioNames } from '../adapters/simulated/scenario.ts';
import { type KeyOptions, keyOf, parseUrl } from '../client/options.ts';
import type { Clock } from '../ports/clock.ts';
import { startAgent, type AgentOptions } from './agent.ts';
import { createPlatform, NotAnswered } from './protocol.ts';

/** Which deployments: of any plugin, of a plugin, or of one version. */
export interface Choice {
  readonly plugin: string | null;
  readonly version: string | null;
}

export interface Simulation extends Choice {
  readonly scenario: Scenario;
}

interface Options extends KeyOptions {
  readonly url: string;
  readonly simulate: readonly Simulation[];
  readonly only?: readonly Choice[];
}

/** @param fail ends the program with a sentence */
export function agentCommand(deps: {
  readonly clock: Clock;
  readonly fail: (sentence: string, code: number) => never;
}): Command {
  return new Command('agent')
    .description('run an agent that simulates instances: they behave by scenario, and no plugin really runs')
    .requiredOption('--url <url>', 'where the platform is: http://127.0.0.1:3000', parseUrl)
    .option(
      '--key <key>',
      "an agent's API key; other users of this machine can see it in the list of processes",
    )
    .option('--key-file <file>', 'a file that holds the key')
    .requiredOption(
      '--simulate <scenario>',
      `how instances behave: ${scenarioNames.join(', ')}, with a number after a colon where it takes one; of one plugin or version: payment-stripe@2.1.0=sick-after:30. May be repeated`,
      (text, before: readonly Simulation[] | undefined) => [...(before ?? []), parseSimulation(text)],
    )
    .option(
      '--only <plugin[@version]>',
      'run nothing else: other agents do. May be repeated',
      (text, before: readonly Choice[] | undefined) => [...(before ?? []), parseChoice(text)],
    )
    .action((options: Options) => run(options, deps));
}

async function run(options: Options, { clock, fail }: Parameters<typeof agentCommand>[0]): Promise<void> {
  const key = keyOf(options) ?? fail('Give the key of an agent: --key-file <file> or --key <key>', 2);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say('THIS AGENT SIMULATES: its instances behave by scenario, no plugin really runs.');
  const name = hostname()
    .replaceAll(/[^A-Za-z0-9]/g, '-')
    .slice(0, 40);
  const agent = startAgent({
    ...{ platform: createPlatform({ url: options.url, key }), clock, random: Math.random, say },
    newId: () => `${/^[A-Za-z0-9]/.test(name) ? name : 'agent'}.${randomUUID()}`,
    scenarioOf: scenarioOf(options),
  });
  const stopped = Promise.withResolvers<undefined>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.resolve(undefined));
  await Promise.race([agent.begun, stopped.promise]).catch(async (error: unknown) => {
    await agent.stop();
    fail(
      error instanceof NotAnswered ? `The key is not good for an agent: ${error.message}` : String(error),
      1,
    );
  });
  await stopped.promise;
  await agent.stop();
  say('Stopped; its simulated instances are gone.');
  process.exit(0);
}

/** The most particular word counts: of a version before of its plugin, of a plugin before of all; the last of equals. */
export function scenarioOf({
  simulate,
  only,
}: Pick<Options, 'simulate' | 'only'>): AgentOptions['scenarioOf'] {
  return (deployment) => {
    if (only && !only.some((choice) => fits(choice, deployment))) return null;
    const fitting = simulate.filter((one) => fits(one, deployment));
    const rank = ({ plugin, version }: Choice): number => (version !== null ? 2 : plugin !== null ? 1 : 0);
    const [best] = fitting.toReversed().toSorted((a, b) => rank(b) - rank(a));
    return best?.scenario ?? healthy;
  };
}

const healthy: Scenario = { kind: 'healthy', amount: 0 };

function fits(
  { plugin, version }: Choice,
  deployment: { readonly pluginId: string; readonly version: string },
): boolean {
  return (
    (plugin === null || plugin === deployment.pluginId) &&
    (version === null || version === deployment.version)
  );
}

export function parseSimulation(text: string): Simulation {
  const at = text.lastIndexOf('=');
  const scenario = parseScenario(text.slice(at + 1));
  if (!scenario) throw new InvalidArgumentError(`the scenario must be one of ${scenarioNames.join(', ')}`);
  return { ...(at === -1 ? { plugin: null, version: null } : parseChoice(text.slice(0, at))), scenario };
}

export function parseChoice(text: string): Choice {
  const [plugin = '', version = null, ...rest] = text.split('@');
  if (plugin === '' || version === '' || rest.length > 0)
    throw new InvalidArgumentError('must be a plugin, or plugin@version');
  return { plugin, version };
}
