/** The operations of the Plugin Manager's face, as the server's own OpenAPI document lists them. */
import { z } from 'zod';

export interface Operation {
  readonly method: string;
  /** `/api/v1/plugins/{pluginId}` */
  readonly path: string;
  readonly needsToken: boolean;
}

const Described = z.object({ security: z.array(z.unknown()) });

export const OpenApiPaths = z
  .object({ paths: z.record(z.string(), z.record(z.string(), Described)) })
  .transform(({ paths }): readonly Operation[] =>
    Object.entries(paths).flatMap(([path, methods]) =>
      path.startsWith('/api/v1/')
        ? Object.entries(methods).map(([method, { security }]) => ({
            method: method.toUpperCase(),
            path,
            needsToken: security.length > 0,
          }))
        : [],
    ),
  );
