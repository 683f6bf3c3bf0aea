/** The one way out: HTTP to addresses that others chose, so every one of them may be a trap. */

export interface EgressRequest {
  readonly method: 'GET' | 'POST';
  /** Absolute, `https:`; `http:` within the ranges that the operator named. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From looking the name up to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  /** Ends it early, as a failure `Aborted`. */
  readonly signal?: AbortSignal;
}

/** Whatever the status: redirects are answers, nobody follows them. */
export interface EgressAnswer {
  readonly status: number;
  /** How long it asks to be left alone, from now on (`Retry-After`); absent: it says nothing of it that can be read. */
  readonly retryAfterMs?: number;
  /** As it came, whatever its `Content-Encoding`. */
  readonly body: Uint8Array;
}

export interface Egress {
  /**
   * What can be said against a URL without looking its name up, in words for who wrote it; null: nothing. A null is no promise: the
   * addresses behind a name are judged whenever one of them is connected to.
   */
  objection(url: string): string | null;
  /** @throws {EgressFailed} */
  request(request: EgressRequest): Promise<EgressAnswer>;
}

export type EgressFailure =
  /** It must not be asked: the URL, or every address behind its name. */
  | 'Refused'
  | 'Unresolved'
  | 'Unreachable'
  /** It speaks no TLS, or its certificate does not hold. */
  | 'Untrusted'
  | 'TimedOut'
  | 'TooLarge'
  /** It answered, but not in HTTP, or not to the end. */
  | 'Broken'
  | 'Aborted';

/** Nothing usable came back. The message is a sentence for who chose the URL; it tells nothing of the network that the server is in. */
export class EgressFailed extends Error {
  override readonly name = 'EgressFailed';
  readonly failure: EgressFailure;
  constructor(failure: EgressFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}
