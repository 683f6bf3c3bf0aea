/** What HTTP answers where sockets are. */
import type { Face } from '../http/face.ts';
import { route } from '../http/route.ts';
import { ErrorBody, pluginManagerErrors } from '../plugin-manager/errors.ts';
import { pluginManagerLimits } from '../plugin-manager/face.ts';
import { socketPath } from './upgrade.ts';

export const socketFace: Face = {
  name: 'socket',
  prefix: '',
  errors: pluginManagerErrors,
  errorBody: ErrorBody,
  limits: pluginManagerLimits,
  routes: [
    route({
      method: 'GET',
      path: socketPath,
      operationId: 'openSocket',
      summary:
        'Announcements on a WebSocket (RFC 6455); docs/events.md says what is said on it. Without an upgrade: 426',
      tag: 'Sockets',
      policy: 'public',
      responses: { 426: null },
      headers: { Upgrade: 'What to ask for: `websocket`' },
      handler: async () => ({
        status: 426,
        headers: { Upgrade: 'websocket', Connection: 'Upgrade' },
      }),
    }),
  ],
};
