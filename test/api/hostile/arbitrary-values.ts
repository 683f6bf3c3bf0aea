/** Values that have hurt other programs. */
import fc from 'fast-check';

const hostileTexts = [
  ...['', ' ', '0', '-1', '1e9', 'NaN', 'null', 'true', '[]', '{}', '*', '%', '_', '?', '#', '"', "'", '\\'],
  ...[
    '../../../etc/passwd',
    '..%2f..%2f',
    '/dev/null',
    'file:///etc/passwd',
    'C:\\',
    '\0',
    'a\0b',
    '\r\nX-A: b',
  ],
  ...["' OR 1=1 --", '"; DROP TABLE x; --', '<script>alert(1)</script>', '${7*7}', '{{7*7}}', '|id', '$(id)'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__proto__.x'],
  ...[
    'http://127.0.0.1:1/',
    'http://169.254.169.254/',
    'javascript:alert(1)',
    'https://[::1]/',
    'https://a:b@c/',
  ],
  ...['1.0.0', '99999999999999999999.0.0', '1.0.0-', '>=1 <2 || *', '~>1', '1.2.3+b.7', 'v1', '^0.0.0-0'],
  ...['P99999999D', 'PT0S', 'PT24H', '-PT1H', '9999-99-99T99:99:99Z', '0000-01-01', '2026-01-01T00:00:00Z'],
  ...[
    '(a+)+$',
    '^(a|a)*$',
    '[',
    '(?<=x)',
    '\\u0000',
    '\u202e',
    '😀',
    'ﬃ',
    'İ',
    'é'.normalize('NFD'),
    '\ud800',
    '\udfff x',
  ],
  ...[
    '${secret:x}',
    '${secret:',
    'simulate:crash-loop:1',
    'canary',
    'tenant-globex-co',
    'platform',
    'admin@example.com',
  ],
  ...['x'.repeat(300), '/'.repeat(300), '😀'.repeat(2_000), '['.repeat(1_000), 'x'.repeat(100_000)],
] as const;

export const text = fc.oneof(
  { arbitrary: fc.constantFrom(...hostileTexts), weight: 4 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 1 },
  { arbitrary: fc.stringMatching(/^[\w.@:/-]{0,40}$/), weight: 1 },
);

export const value: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: text, weight: 5 },
  {
    arbitrary: fc.constantFrom(
      0,
      -1,
      1,
      0.1,
      -0,
      100,
      101,
      1e9,
      2 ** 53 - 1,
      1e308,
      5e-324,
      true,
      false,
      null,
    ),
    weight: 3,
  },
  {
    arbitrary: fc.constantFrom<unknown[]>([], {}, [[]], [null], [{}], { '': '' }, [1, 'a', null]),
    weight: 2,
  },
  { arbitrary: fc.jsonValue({ maxDepth: 3 }), weight: 2 },
  { arbitrary: fc.array(text, { maxLength: 5 }), weight: 1 },
  {
    arbitrary: fc
      .constantFrom(20, 200, 5_000)
      .map((size) => Array.from({ length: size }, (_, at) => `tag${at}`)),
    weight: 1,
  },
);

/** What `JSON.stringify` would not write. */
export const rawValues = [
  ...[
    '1e999',
    '-1e999',
    '9007199254740993',
    '1'.repeat(400),
    '0.'.padEnd(400, '3'),
    '01',
    '+1',
    '.5',
    'NaN',
    'undefined',
  ],
  ...[
    '"\\ud800"',
    '"\\u0000"',
    '"\u0000"',
    '"\t"',
    '"\\x"',
    "'a'",
    '"a',
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{a:1}',
  ],
  ...['{"__proto__":{"x":1}}', '{"constructor":{"prototype":{"x":1}}}', '[1,]', '/**/1', '\ufeff1', ''],
  ...[31, 32, 33, 5_000].map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  ...['{"a":'.repeat(10_000), '['.repeat(100_000)],
];
