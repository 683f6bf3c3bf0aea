/** What nobody reads in the past: the one place that everything passes which the audit shows of events, states and documents. */
import type { Json, JsonObject } from '../ports/event-store.ts';
import type { Change } from './difference.ts';

/** In the place of personal data, which only the vault can open; of what stands for the body of a request. */
export const sealedWord = '[sealed]';
/** In the place of what a person wrote where a reference to a secret belongs. */
export const hiddenWord = '[hidden]';

/** Names under which people write credentials into configurations; `${secret:name}` is none. */
const credential = /passw|secret|token|credential|api_?-?key|private_?-?key/i;
const reference = /^\$\{secret:[^}]*\}$/;
const login = /^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/i;

export function redacted(value: Json): Json {
  return redact(value, '', false);
}

export function redactedObject(value: JsonObject): JsonObject {
  return redactMembers(value, false);
}

/** That something changed is told, also where nobody reads from what to what. */
export function redactedChange({ field, before, after }: Change): Change {
  const names = field.split(/[.[\]]+/).filter((name) => name !== '' && !/^\d+$/.test(name));
  const configured = names.slice(0, -1).includes('configuration');
  const part = (value: Json): Json => redact(value, names.at(-1) ?? '', configured);
  return {
    field,
    ...(before !== undefined && { before: part(before) }),
    ...(after !== undefined && { after: part(after) }),
  };
}

/**
 * @param name of the member that has the value
 * @param configured within what is handed to plugins as it was written
 */
function redact(value: Json, name: string, configured: boolean): Json {
  if (typeof value === 'string') {
    if (value.startsWith('sealed:') || /bodyHash$/i.test(name)) return sealedWord;
    if (configured && credential.test(name) && !reference.test(value)) return hiddenWord;
    return value.replace(login, `$1${hiddenWord}@`);
  }
  if (typeof value !== 'object' || value === null) return value;
  const inside = configured || name === 'configuration';
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => redact(item, name, inside));
  return redactMembers(value as JsonObject, inside);
}

function redactMembers(value: JsonObject, configured: boolean): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, redact(member, name, configured)]),
  );
}
