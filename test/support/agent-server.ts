/** A whole server on a virtual clock whose plugins run where agents start them, and such agents, which speak HTTP to it. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { type Agent, startAgent } from '../../src/agent/agent.ts';
import { parseChoice, parseSimulation, scenarioOf } from '../../src/agent/command.ts';
import { createPlatform } from '../../src/agent/protocol.ts';
import { AssignmentsAnswer } from '../../src/api/plugin-manager/agent-schemas.ts';
import { CreatedApiKeyAnswer } from '../../src/api/plugin-manager/user-schemas.ts';
import { openWholeServer, type WholeServer } from '../api/plugin-manager/whole-server.ts';

export interface AgentServer extends WholeServer {
  /** @returns the key of an agent of the tenant `tenant-acme-corp` */
  agentKey(environment?: string, permissions?: readonly string[]): Promise<string>;
  /** What agents of the key are told now. */
  assigned(key: string): Promise<ReturnType<typeof AssignmentsAnswer.parse>>;
  /** An agent of Production. @param options as `slipway agent` takes them */
  startAgent(options?: {
    readonly simulate?: readonly string[];
    readonly only?: readonly string[];
  }): Promise<Agent>;
  readonly said: readonly string[];
}

export async function openAgentServer(): Promise<AgentServer> {
  const server = await openWholeServer({ SLIPWAY_RUNTIME: 'agent' });
  const { clock } = server;
  const agents = new Set<Agent>();
  const said: string[] = [];
  const settleServer = server.settle;
  let key: string | null = null;
  let seenHead: unknown = null;

  const agentKey: AgentServer['agentKey'] = async (environment = 'Production', permissions) => {
    const body = { name: 'Agent', scope: { environment }, ...(permissions ? { permissions } : {}) };
    const reply = await server.ask('TenantAdmin', 'POST', '/api-keys', body);
    expect(reply.status, JSON.stringify(reply.body)).to.equal(201);
    return CreatedApiKeyAnswer.parse(reply.body).key;
  };
  const assigned: AgentServer['assigned'] = async (of) => {
    const reply = await server.call('GET', '/api/v1/agent/assignments', { headers: { 'X-API-Key': of } });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    return AssignmentsAnswer.parse(reply.body);
  };

  /** Until agents run what they are told, have told how it is, and nobody has anything left to do at this moment. */
  async function settle(): Promise<void> {
    const head = () => server.server.ports.eventStore.head();
    for (;;) {
      await settleServer();
      await Promise.all([...agents].map((agent) => agent.idle()));
      const now = await head();
      if (now === seenHead) return;
      seenHead = now;
      if (key === null) continue;
      const { cursor } = await assigned(key);
      while ([...agents].some((agent) => agent.cursor !== cursor))
        await new Promise((turn) => setTimeout(turn));
    }
  }

  return Object.assign(server, {
    settle,
    agentKey,
    assigned,
    said,
    pass: (seconds: number) => clock.advance(seconds * 1000, settle),
    startAgent: async ({ simulate = ['healthy'], only }: Parameters<AgentServer['startAgent']>[0] = {}) => {
      key ??= await agentKey();
      const agent = startAgent({
        // Answers travel in real time, while virtual hours may pass.
        ...{ platform: createPlatform({ url: server.url, key }), clock, timeoutMs: 1e9 },
        random: () => 0.5,
        newId: () => `i-${randomUUID()}`,
        scenarioOf: scenarioOf({
          simulate: simulate.map(parseSimulation),
          ...(only ? { only: only.map(parseChoice) } : {}),
        }),
        say: (line) => said.push(line),
      });
      await agent.begun;
      agents.add(agent);
      seenHead = null;
      await settle();
      return Object.assign(agent, {
        stop: ((stop) => () => {
          agents.delete(agent);
          return stop();
        })(agent.stop.bind(agent)),
      });
    },
    stop: ((stop) => async () => {
      for (const agent of [...agents]) await agent.stop();
      await stop();
    })(server.stop.bind(server)),
  });
}
