/** Bytes that are nearly a request. */
import fc from 'fast-check';
import { arbitraryRequest, type Asked, type Fuzzing } from './arbitrary-requests.ts';

/** What makes bytes that are nearly a request. */
export interface Garbled {
  readonly request: Asked;
  readonly edits: readonly { readonly at: number; readonly cut: number; readonly piece: string }[];
}

export function arbitraryGarbled(fuzzing: Fuzzing): fc.Arbitrary<Garbled> {
  const piece = fc.oneof(
    fc.constantFrom(
      ...[
        '\r\n',
        '\n',
        '\r',
        '\0',
        ' ',
        '\t',
        ':',
        ' HTTP/1.1',
        'HTTP/9.9',
        'HTTP/1.0',
        '\r\n\r\n',
        ' \r\n',
        '\r\n folded: x\r\n',
      ],
      ...[
        'Content-Length: -1\r\n',
        'Content-Length: 1e9\r\n',
        'Content-Length: 99999999999999999999\r\n',
        'Content-Length: 5\r\n',
      ],
      ...[
        'Transfer-Encoding: chunked\r\n',
        'Transfer-Encoding: gzip, chunked\r\n',
        'Transfer-Encoding: xchunked\r\n',
        'Transfer-Encoding : chunked\r\n',
      ],
      ...[
        'Host: a\r\nHost: b\r\n',
        'Host:\r\n',
        `X: ${'x'.repeat(17_000)}\r\n`,
        'A: b\r\n'.repeat(3_000),
        'Expect: x\r\n',
      ],
      ...[
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        'CONNECT a:1 HTTP/1.1\r\n',
        'GET http://[::1 HTTP/1.1\r\n',
        'GET /',
        '\x16\x03\x01\x02\x00\x01',
      ],
      ...[
        'Connection: keep-alive\r\n',
        'Connection: Upgrade\r\nUpgrade: websocket\r\n',
        'ffffffffffffffff\r\n',
        '0\r\n\r\n',
        '5;x=y\r\nabcde\r\n',
      ],
    ),
    fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  const edit = fc.record({ at: fc.nat({ max: 600 }), cut: fc.nat({ max: 30 }), piece });
  const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
  return fc.record({ request: arbitraryRequest(fuzzing), edits });
}

export function garbledBytes(request: Buffer, edits: Garbled['edits']): Buffer {
  return edits.reduce((bytes, { at, cut, piece }) => {
    const place = at % (bytes.length + 1);
    const [before, after] = [bytes.subarray(0, place), bytes.subarray(place + cut)];
    return Buffer.concat([before, Buffer.from(piece, 'latin1'), after]);
  }, request);
}
