/** Answers the document of all faces, for programs and for people. */
import type { Face } from '../http/face.ts';
import { route } from '../http/route.ts';
import { referenceRoutes } from '../reference/routes.ts';
import { type ApiInfo, openApiDocument } from './document.ts';
import { JsonObject } from './json.ts';

/** @param faces all that it describes, beside itself; what is wrong here is answered as the first would */
export function openApiFace(faces: readonly [Face, ...Face[]], info: ApiInfo): Face {
  const { errors, errorBody, limits } = faces[0];
  const tags = { Reference: 'What this API is, for programs and for people.' };
  const face = { name: 'openapi', prefix: '', tags, errors, errorBody, limits };
  const itself = route({
    method: 'GET',
    path: '/api/openapi.json',
    operationId: 'getApiDescription',
    summary: 'This document',
    tag: 'Reference',
    etag: 'content',
    policy: 'public',
    responses: { 200: JsonObject },
    handler: async () => ({ status: 200, body: document }),
  });
  const routes = [itself, ...referenceRoutes(() => document, itself.path)];
  const document = openApiDocument([...faces, { ...face, routes }], info);
  return { ...face, routes };
}
