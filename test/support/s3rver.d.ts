/** What tests use of @20minutes/s3rver, which comes without types. */
declare module '@20minutes/s3rver' {
  import type { AddressInfo } from 'node:net';
  import type { Readable } from 'node:stream';

  export interface Context {
    readonly method: string;
    readonly path: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string | undefined>>;
    status: number;
    type: string;
    body: unknown;
    set(header: string, value: string): void;
  }
  export type Middleware = (context: Context, next: () => Promise<void>) => Promise<void>;

  export interface Range {
    readonly start?: number;
    readonly end?: number;
  }
  export interface Stored {
    content: Readable | null;
    range?: Range;
  }

  /** Its folder of objects. */
  export interface Store {
    putContent(path: string, content: Buffer | Readable): Promise<[size: number, md5: string]>;
    getObject(bucket: string, key: string, range?: Range): Promise<Stored | null>;
    initiateUpload(bucket: string, key: string, uploadId: string, metadata: unknown): Promise<void>;
    putObjectMultipart(bucket: string, uploadId: string, parts: unknown): Promise<unknown>;
    getResourcePath(bucket: string, key: string | undefined, resource: string): string;
  }

  export default class S3rver {
    constructor(options: {
      readonly address: string;
      readonly port: number;
      readonly silent: boolean;
      readonly directory: string;
      readonly vhostBuckets: boolean;
      readonly key?: string;
      readonly cert?: string;
    });
    readonly middleware: Middleware[];
    readonly store: Store;
    run(): Promise<AddressInfo>;
    close(): Promise<void>;
    readonly httpServer: import('node:http').Server;
    on(event: 'error', listener: (error: Error) => void): this;
  }
}
