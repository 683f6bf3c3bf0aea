/** What is wrong with questions to the past, and which parameters are to be named. */
const long = (length: number): string => 'x'.repeat(length);

/** The log of the test begins in 2030. */
const badPlaces = (name: string): readonly (readonly [string, string])[] =>
  [
    '',
    'nonsense',
    '03:10',
    '2025-11-23T03:10:00Z',
    '2999-01-01T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '00000000-0000-4000-8000-000000000000:1',
    long(201),
  ].map((place) => [`${name}=${place}`, name]);

export const badAuditQueries: Readonly<Record<string, readonly (readonly [query: string, named: string])[]>> =
  {
    '/audit/log': [
      ['stream=', 'stream'],
      [`stream=${long(201)}`, 'stream'],
      ['tenantId=No%20Tenant', 'tenantId'],
      ['actor=', 'actor'],
      ['type=', 'type'],
      ['type=Stage%20Started', 'type'],
      [`type=${Array.from({ length: 51 }, () => 'A').join()}`, 'type'],
      ['without=everything', 'without'],
      ['correlationId=', 'correlationId'],
      ['about=', 'about'],
      ['from=yesterday', 'from'],
      ['from=2025-11-23', 'from'],
      ['to=2025-11-23T25:00:00Z', 'to'],
      ['order=asc', 'order'],
      ['cursor=nonsense', 'cursor'],
      ['cursor=00000000-0000-4000-8000-000000000000:1', 'cursor'],
      ['stream=plugin-x&cursor=nonsense', 'cursor'],
    ],
    '/projections': [['name=tenants', 'name']],
    '/projections/tenants/diff': [['at=x', 'at']],
    '/audit/why/dep-1': [['depth=1', 'depth']],
    '/audit/streams/plugin-x/state': badPlaces('at'),
    '/audit/streams/plugin-x/changes': [...badPlaces('from'), ...badPlaces('to'), ['at=x', 'at']],
    '/audit/documents/plugins/x/state': badPlaces('at'),
    '/audit/documents/plugins/x/changes': [...badPlaces('from'), ...badPlaces('to')],
  };
