/** The reference of our routes: Express with what ours do before and after the work, without the work and without storage. */
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import express from 'express';
import type { Request, Response } from 'express';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { headersOfEveryAnswer } from '../../src/api/http/exchange.ts';
import { HealthReportsBody } from '../../src/api/plugin-manager/agent-schemas.ts';
import { ListPluginsQuery, RegisterPluginBody } from '../../src/api/plugin-manager/plugin-schemas.ts';
import { createTokens } from '../../src/core/tokens.ts';
import { platformTenant, UserId } from '../../src/domain/ids.ts';
import { createLogger } from '../../src/logging.ts';
import { tell } from '../child.ts';

const clock = createSystemClock();
const logger = createLogger({ LOG_LEVEL: 'info' });
const tokens = createTokens(createSecretKey(randomBytes(32)), clock);

/** What its reads answer, once somebody has told it. */
export interface Canned {
  readonly plugin: string;
  readonly page: string;
}
let canned: Canned = { plugin: '', page: '' };

const app = express();
app.disable('x-powered-by');
app.set('etag', false);
app.use((request, response, next) => {
  const correlationId = randomUUID();
  response.set(headersOfEveryAnswer).set('X-Correlation-Id', correlationId);
  const started = clock.monotonic();
  response.once('close', () => {
    const ms = Math.round((clock.monotonic() - started) * 100) / 100;
    const route: unknown = request.route;
    const path = typeof route === 'object' && route !== null && 'path' in route ? route.path : null;
    logger.info(
      { correlationId, method: request.method, route: path, status: response.statusCode, ms },
      'request',
    );
  });
  next();
});
app.use(express.json({ limit: '1mb' }));
app.use(async (request, response, next) => {
  const { permissions } = await tokens.verify(request.headers.authorization?.slice('Bearer '.length) ?? '');
  if (permissions.includes(request.method === 'GET' ? 'plugins:read' : 'plugins:write')) next();
  else response.status(403).json({ error: { code: 'FORBIDDEN' } });
});
app.post('/api/v1/plugins', (request: Request, response: Response) => {
  const parsed = RegisterPluginBody.safeParse(request.body);
  if (!parsed.success) {
    response.status(400).json({ error: { code: 'INVALID_REQUEST', details: parsed.error.issues } });
    return;
  }
  const { pluginId, name, version } = parsed.data;
  response.status(201).json({
    pluginId,
    name,
    status: 'Registered',
    version: version.semanticVersion,
    createdAt: new Date(clock.now()).toISOString(),
  });
});
app.post('/api/v1/plugin-deployments/:deploymentId/health-reports', (request, response) => {
  const parsed = HealthReportsBody.safeParse(request.body);
  if (!parsed.success) {
    response.status(400).json({ error: { code: 'INVALID_REQUEST', details: parsed.error.issues } });
    return;
  }
  const { epoch, reports } = parsed.data;
  const counts = { accepted: reports.length, duplicates: 0, stale: 0, refused: [], nextSequences: {} };
  response.json({ deploymentId: request.params.deploymentId, epoch, assigned: true, ...counts });
});
app.get('/api/v1/plugins/:pluginId', (_request, response) => answer(response, canned.plugin));
app.get('/api/v1/plugins', (request, response) => {
  const parsed = ListPluginsQuery.safeParse({ ...request.query });
  if (parsed.success) answer(response, canned.page);
  else response.status(400).json({ error: { code: 'INVALID_REQUEST', details: parsed.error.issues } });
});

function answer(response: Response, text: string): void {
  response.type('application/json').send(text);
}

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  void tokens
    .sign({
      userId: UserId.parse(`usr_${'0'.repeat(20)}`),
      tenantId: platformTenant,
      role: 'PlatformAdmin',
      sessionId: 'bench',
      expiresAt: new Date(clock.now() + 3_600_000),
    })
    .then((token) => tell({ url: `http://127.0.0.1:${address.port}`, token }));
});
process.on('message', (message: Canned) => {
  canned = message;
  tell({ done: true });
});
process.once('SIGTERM', () => process.exit(0));
