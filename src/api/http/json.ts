/**
 * JSON as RFC 7493 (I-JSON) has it: UTF-8, no member twice, no number that a double cannot hold, no half characters. What
 * `JSON.parse` would silently change is refused here, because it would be stored otherwise than it was sent.
 */
import { isUtf8 } from 'node:buffer';

/** Deepest nesting of arrays and objects. */
const deepest = 32;

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** What is wrong with a text that should be JSON, as the rest of a sentence. */
export class NotJson extends Error {
  override readonly name = 'NotJson';
}

/** @throws {NotJson} */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new NotJson('is not valid UTF-8');
  const members = scan(bytes);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new NotJson('is not valid JSON');
  }
  // The text names each member once for each colon outside of strings; the value has lost those that were named twice.
  if (inspect(value) !== members) throw new NotJson('names a member twice in one object');
  return value;
}

/** Checks the depth before anything recurses. @returns how many members the text names */
function scan(bytes: Buffer): number {
  let depth = 0;
  let members = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      for (at++; at < bytes.length && bytes[at] !== quote; at++) if (bytes[at] === backslash) at++;
    } else if (byte === colon) members++;
    else if (byte === openBracket || byte === openBrace) {
      if (++depth > deepest) throw new NotJson(`is nested deeper than ${deepest} levels`);
    } else if (byte === closeBracket || byte === closeBrace) depth--;
  }
  return members;
}

/** @returns how many members the value has, at all depths */
function inspect(value: unknown): number {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new NotJson('holds half of a surrogate pair');
    return 0;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      throw new NotJson('holds a number that is out of range');
    }
    return 0;
  }
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += inspect(item);
    return members;
  }
  for (const [name, item] of Object.entries(value)) {
    if (name === '__proto__' || !name.isWellFormed())
      throw new NotJson('holds a member name that is not allowed');
    members += 1 + inspect(item);
  }
  return members;
}
