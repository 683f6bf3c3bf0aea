/** What HTTP answers where sockets are: the IDP's document has them, so refusals are spelt as there. */
import type { Face } from '../http/face.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import { IdpErrorBody, idpErrors } from '../idp/errors.ts';
import { idpLimits } from '../idp/face.ts';
import { socketPath } from './upgrade.ts';

export const socketFace: Face = {
  name: 'socket',
  prefix: '',
  errors: idpErrors,
  errorBody: IdpErrorBody,
  limits: idpLimits,
  tags: { Sockets: 'Announcements as they happen, and from any place of the log on.' },
  routes: [
    route({
      method: 'GET',
      path: socketPath,
      operationId: 'openSocket',
      summary: 'Announcements on a WebSocket (RFC 6455); docs/socket.md says what is said on it',
      tag: 'Sockets',
      policy: 'public',
      responses: { 101: null },
      headers: { Upgrade: '`websocket`', 'Sec-WebSocket-Accept': 'As RFC 6455 says' },
      refusals: ['Forbidden', 'UpgradeRequired'],
      // Who asks for a WebSocket never comes here.
      handler: async () => {
        // Without `close` the connection would stay open, also for who asked to have it closed.
        const headers = { Upgrade: 'websocket', Connection: 'Upgrade, close' };
        throw new Problem('UpgradeRequired', 'Ask for a WebSocket here: docs/socket.md shows how', {
          headers,
        });
      },
    }),
  ],
};
