/** What holds of every answer, whatever was asked ("Nobody gets in" 15): no fault of ours, nothing of our insides, safe headers. */
import { expect } from 'chai';
import type { Reply } from '../../support/http.ts';

const safeHeaders: Readonly<Record<string, RegExp>> = {
  'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
  'x-content-type-options': /^nosniff$/,
  'x-frame-options': /^DENY$/,
  'referrer-policy': /^no-referrer$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'x-correlation-id': /^[\w.:/+=@-]{1,128}$/,
};
const telling = ['server', 'x-powered-by', 'x-aspnet-version', 'via'];
const insides =
  /node_modules|node:internal|file:\/\/\/\S+\.m?[jt]s|\.ts:\d+|\n? +at [\w.<>]+ \(|SQLITE_|ZodError|TypeError|RangeError|SyntaxError/;

/** @param told what was asked, for who reads the failure */
export function expectWellBehaved({ status, headers, body }: Reply, told: string): void {
  const said = `${told}\nanswered ${status} ${JSON.stringify(body).slice(0, 1_000)}`;
  expect(status, said).to.be.within(200, 499);
  for (const [name, safe] of Object.entries(safeHeaders))
    expect(headers.get(name) ?? '', `${said}, ${name}`).to.match(safe);
  for (const name of telling) expect(headers.has(name), `${said}, ${name}`).to.equal(false);
  expect(headers.get('content-security-policy'), said).not.to.include('unsafe-');
  // The page of the API reference is text, and the same for all; what is refused, never.
  const type = headers.get('content-type') ?? '';
  const isPage =
    status === 304 || (status < 400 && /^text\/(html|css|javascript); charset=utf-8$/.test(type));
  expect(headers.get('cache-control'), said).to.match(isPage ? /^no-(store|cache)$/ : /^no-store$/);
  if (body !== null && !isPage) expect(type, said).to.equal('application/json; charset=utf-8');
  if (status < 400) return;
  if (body === null) return;
  expect(body, said)
    .to.have.nested.property('error.code')
    .that.matches(/^[A-Z_]+$/);
  // What was typed may be repeated to who typed it, and may look like anything.
  const ours = JSON.stringify(body).replaceAll(/"field":"(?:[^"\\]|\\.)*"/g, '');
  if (!insides.test(told)) expect(ours, said).not.to.match(insides);
}
