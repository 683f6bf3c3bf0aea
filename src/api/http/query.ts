/** The query string, read strictly: most parsers guess where a caller should be told. */
import { Problem } from './problem.ts';

/** @throws {Problem} for a malformed percent-encoding and for a parameter that occurs twice */
export function parseQuery(url: string): Readonly<Record<string, string>> {
  const start = url.indexOf('?');
  if (start < 0 || start === url.length - 1) return {};
  const parameters = new Map<string, string>();
  for (const pair of url.slice(start + 1).split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (parameters.has(name)) throw invalid(name, 'may be given once only');
    parameters.set(name, equals < 0 ? '' : decode(pair.slice(equals + 1)));
  }
  return Object.fromEntries(parameters);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid('query', 'holds a malformed percent-encoding');
  }
}

function invalid(field: string, message: string): Problem {
  return new Problem('Invalid', `${field}: ${message}`, { details: [{ field, message }] });
}
