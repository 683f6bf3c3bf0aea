import { expect } from 'chai';
import fc from 'fast-check';
import { encoded, identityStream, recordedEvent } from '../../../src/adapters/eventstoredb/records.ts';
import { retentionOf, withRetention } from '../../../src/adapters/eventstoredb/stream-retention.ts';
import { DamagedEvent, type NewEvent } from '../../../src/ports/event-store.ts';
import { event } from '../../contract/event-store-given.ts';

const parsed = (bytes: Buffer): unknown => JSON.parse(bytes.toString());

function stored(given: NewEvent) {
  const { id, type, data, metadata } = encoded(given);
  return {
    ...{ id, type, stream: 's-1', revision: 3, place: 77, created: 0 },
    data: parsed(data),
    metadata: parsed(metadata),
  };
}

describe('an event as EventStoreDB keeps it', () => {
  it('comes back to the byte, members in their order: seals are over it', () => {
    const given = event({ data: { b: 1, a: { z: [null, 'ü'], y: {} } } });
    const read = recordedEvent('log', stored(given));
    expect(read).to.deep.equal({ ...given, stream: 's-1', revision: 3, position: 'log:77' });
    expect(JSON.stringify([read?.data, read?.metadata])).to.equal(
      JSON.stringify([given.data, given.metadata]),
    );
  });

  it('names its causes as the tools of the server expect', () => {
    const metadata = parsed(encoded(event()).metadata);
    expect(metadata).to.include({ $correlationId: 'correlation', $causationId: 'cause' });
    expect(metadata).not.to.have.any.keys('correlationId', 'causationId');
  });

  it('is left out where it is the server’s own, the log’s identity, or another program’s', () => {
    const own = stored(event());
    for (const other of [
      { ...own, type: '$metadata', stream: '$$s-1' },
      { ...own, type: '$>' },
      { ...own, stream: '$scavenges' },
      { ...own, stream: identityStream },
      { ...own, metadata: undefined },
      { ...own, metadata: new Uint8Array([1]) },
      { ...own, metadata: { $correlationId: 'x', userId: 'y' } },
    ])
      expect(recordedEvent('log', other)).to.equal(null);
  });

  it('is damaged where its data is no object any more', () => {
    for (const data of ['{"half', null, 7, new Uint8Array([1])])
      expect(() => recordedEvent('log', { ...stored(event()), data })).to.throw(DamagedEvent, 'log:77');
  });
});

describe('retention in the metadata of a stream', () => {
  const retention = fc.record(
    { maxAgeSeconds: fc.nat(), maxCount: fc.nat(), truncateBefore: fc.nat() },
    { requiredKeys: [] },
  );

  it('comes back as it was set, whatever was there', () => {
    fc.assert(
      fc.property(retention, retention, (before, after) => {
        const first = withRetention({ $acl: { $r: '$all' }, other: 1 }, before);
        expect(retentionOf(first)).to.deep.equal({ ...before });
        const second = withRetention(first, after);
        expect(retentionOf(second)).to.deep.equal({ ...after });
        expect(second).to.deep.include({ $acl: { $r: '$all' }, other: 1 });
      }),
    );
  });

  it('takes nothing for a number that is none', () => {
    expect(retentionOf({ $maxAge: '5', $maxCount: null, $tb: 9 })).to.deep.equal({ truncateBefore: 9 });
  });
});
